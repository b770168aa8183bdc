"""Writes cider.json: made-up comments, their tokens by Stanford's PTBTokenizer, and CIDEr, as pycocoevalcap 1.2 has them (needs java)."""
import json, pathlib, random
from pycocoevalcap.cider.cider import Cider
from pycocoevalcap.tokenizer.ptbtokenizer import PTBTokenizer

COMMENTS = """I love the colors and the soft light here.
Great composition, but the horizon isn't straight!
It's a bit too dark for me... maybe lighten the shadows?
The subject doesn't stand out; I can't tell what I'm looking at.
Nice capture - well done.
Beautiful b&w conversion, great tones.
This deserves a 10!!!
Don't like the crop, it's too tight on the left-hand side.
You've got a well-exposed shot with lovely bokeh.
What a wonderful portrait (the eyes are so sharp).
"Stunning" is the only word.
The f/2.8 depth-of-field works well at 1/250s.
I'd have preferred more contrast, they're a little flat.
Love it :) love it :-)
Good idea, poor execution. 6/10
The reflection's symmetry is what makes this photo work.
He'll be proud, won't he?
Simple and elegant. Simple, yet elegant.
Over-processed: the halo around the trees is distracting.
Nothing special, just a snapshot of a dog.
I gave it an 8 because of the mood and the story it tells.
The dog's expression is priceless, I couldn't stop laughing.
Great leading lines; they draw the eye in.
Cool shot, how'd you do that?
The rule of thirds isn't used here, yet it works.
Wow! Amazing detail in the feathers.
Too much noise at ISO 3200, $5,000 camera or not.
The tilt makes me dizzy, but that's the point I guess.
Lovely sunset & silhouette.
My favourite of the challenge, congrats on the ribbon.
The background is cluttered and the lighting is harsh.
Gonna be a top-10 finisher, I'm sure of it.
Nice colours but the focus is off and the subject is blurry.
She looks so happy. We're happy too.
It would've been better at 3:00 p.m. with softer light.
http://www.example.com has a similar one.
I cannot find a flaw; the texture on the rocks is superb.
Where's the catch light? I'd add one.
The blue-green water and the red boat make a strong contrast.
Perfect timing, perfect light, perfect pose""".split("\n")

random.seed(4)
refs, hyps = {}, {}
for image in range(30):
    refs[image] = [{"caption": random.choice(COMMENTS)} for _ in range(random.randint(1, 5))]
    own = random.choice(refs[image])["caption"].split()
    cut = own[: random.randint(2, len(own))] + random.choice(COMMENTS).split()[: random.randint(0, 6)]
    hyps[image] = [{"caption": " ".join(cut)}]
tokenizer = PTBTokenizer()
alone = tokenizer.tokenize({i: [{"caption": text}] for i, text in enumerate(COMMENTS)})
gts, res = tokenizer.tokenize(refs), tokenizer.tokenize(hyps)
mean, each = Cider().compute_score(gts, res)
out = {
    "tokens": [{"text": text, "tokens": alone[i][0]} for i, text in enumerate(COMMENTS)],
    "images": [
        {"references": [r["caption"] for r in refs[i]], "candidate": hyps[i][0]["caption"],
         "cider": float(each[i])} for i in range(30)],
    "cider": float(mean)}
pathlib.Path(__file__).with_name("cider.json").write_text(json.dumps(out, indent=0) + "\n")
