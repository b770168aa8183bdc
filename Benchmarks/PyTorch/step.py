#!/usr/bin/env python3
"""One training step of a checkpoint in PyTorch on a CPU, float32, to be read beside roc's own.

usage: step.py CHECKPOINT SAMPLES [--batch N] [--steps N] [--warmup N] [--threads N]

The step is forward, loss (text + SmoothL1 + soft-label cross-entropy + EMD, weights 1/1/1), backward
and an AdamW update of everything but learned_weight and the positional buffers. Nothing is frozen,
no activations are recomputed, gradients are not clipped unless --clip says so, weight decay is 0.

The batch is the first N samples of the file, from its beginning again when there are fewer, and is
the same in every step. It is made before the clock starts: pictures padded to squares and resized,
prompts of template v1, the mark at the front of its turn. Padding stands at the right. A picture is
(picture side / patch)^2 + 1 rows in the vision encoder and queries + 1 rows in the language model.
For the four samples of plain.samples.json, 57 ids each with the mark counted as one:

    small-f16  4 x 3 x 224 x 224 pixels, 257 vision rows, 65 picture rows, 4 x 121 rows, 48 supervised
    tiny-f32   4 x 3 x  56 x  56 pixels,  17 vision rows,  9 picture rows, 4 x  65 rows, 48 supervised

The JSON line on standard output states the same numbers of the batch that was run.

PyTorch is no part of roc: pip install torch safetensors sentencepiece pillow into a folder of its own.
"""
import argparse
import json
import re
import statistics
import sys
import time
from pathlib import Path

import torch
from torch.nn import functional as F
from torch.nn.utils.rnn import pad_sequence

from model import load

MARK, MARK_ID, IGNORED = "<|image|>", -200, -100
SYSTEM = ("A chat between a curious user and an artificial intelligence assistant. "
          "The assistant gives helpful, detailed, and polite answers to the user's questions. ")


class Tokenizer:
    """Ids of sentencepiece and the added tokens, as slow tokenizers with legacy behaviour give them."""

    def __init__(self, folder):
        from sentencepiece import SentencePieceProcessor

        self.pieces = SentencePieceProcessor(model_file=str(folder / "tokenizer.model"))
        self.added = json.loads((folder / "added_tokens.json").read_text())
        if json.loads((folder / "tokenizer_config.json").read_text()).get("legacy") is False:
            raise SystemExit("step.py: only tokenizers with legacy behaviour")
        self.cut = re.compile(r"\s*(" + "|".join(map(re.escape, self.added)) + r")\s*|(</s>)")

    def text(self, text):
        ids, start = [], 0
        for found in self.cut.finditer(text):
            ids += self.pieces.encode(text[start:found.start()])
            ids.append(self.added[found[1]] if found[1] else self.pieces.eos_id())
            start = found.end()
        return ids + self.pieces.encode(text[start:])

    def marked(self, text):
        ids = []
        for number, part in enumerate(text.split(MARK)):
            ids += [MARK_ID] * (number > 0) + self.text(part)
        return ids

    def sample(self, turns):
        """The ids of a conversation and their labels: the answers, to and with </s>."""
        texts = [turn["value"] for turn in turns]
        texts = [f"{MARK}\n{text.replace(MARK, '').strip()}" if MARK in text else text for text in texts]
        if turns[0]["from"] != "human":
            texts = texts[1:]
        ids, labels, before = [self.pieces.bos_id()], [IGNORED], SYSTEM
        for question, answer in zip(texts[::2], texts[1::2]):
            asked = f"{before}USER: {question} ASSISTANT:"
            masked, both = self.marked(asked), self.marked(f"{asked} {answer}</s>")
            if both[:len(masked)] != masked:
                raise SystemExit(f"step.py: the question's ids change with its answer: {answer}")
            ids += both
            labels += [IGNORED] * len(masked) + both[len(masked):]
            before = ""
        return ids, labels


def read_pixels(file, settings):
    """The picture on a square of the mean colour, resized (bicubic) and normalised: [3, side, side]."""
    import numpy
    from PIL import Image

    size = settings["size"]
    side = size if isinstance(size, int) else next(iter(size.values()))
    mean, deviation = (numpy.array(settings[key], numpy.float32) for key in ("image_mean", "image_std"))
    picture = Image.open(file).convert("RGB")
    edge = max(picture.size)
    square = Image.new("RGB", (edge, edge), tuple(int(value * 255) for value in settings["image_mean"]))
    square.paste(picture, tuple((edge - length) // 2 for length in picture.size))
    values = numpy.asarray(square.resize((side, side), Image.Resampling.BICUBIC)) / 255
    return torch.from_numpy((values.astype(numpy.float32) - mean) / deviation).permute(2, 0, 1)


class Batch:
    """What a step reads, with the rows of the pictures spliced in and padding at the right."""

    def __init__(self, conversations, pixels, samples, config):
        self.pixels = pixels.contiguous()
        self.score, self.bins = config["score_id"], config["num_tokens"]
        self.axis = torch.linspace(config["min_score"], config["max_score"], self.bins, dtype=torch.float64).float()
        rows = config["visual_config"]["visual_abstractor"]["num_learnable_queries"] + 1
        spliced = []
        for ids, labels in conversations:
            if ids.count(MARK_ID) != 1:
                raise SystemExit("step.py: every sample needs one picture")
            at = ids.index(MARK_ID)
            pairs = (ids, MARK_ID), (labels, IGNORED)
            spliced.append([torch.tensor(row[:at] + [fill] * rows + row[at + 1:]) for row, fill in pairs])
        lengths = torch.tensor([len(ids) for ids, _ in spliced])
        ids = pad_sequence([ids for ids, _ in spliced], batch_first=True)
        self.labels = pad_sequence([labels for _, labels in spliced], batch_first=True, padding_value=IGNORED)
        self.pictures = ids == MARK_ID
        self.ids = ids.masked_fill(self.pictures, 0)
        unknown = (ids == 0) & (torch.arange(ids.shape[1]) < lengths.unsqueeze(1))
        self.mask = None
        if unknown.any():  # the official code takes <unk> for padding
            causal = torch.ones(ids.shape[1], ids.shape[1], dtype=torch.bool).tril()
            self.mask = (causal & (ids != 0).unsqueeze(1)).unsqueeze(1)

        self.next = F.pad(self.labels[:, 1:], (0, 1), value=IGNORED)  # what each row shall say
        self.supervised = (self.next != IGNORED).flatten().nonzero().squeeze(1)
        self.truth = torch.tensor([sample["gt_score"] for sample in samples]).flatten()
        self.target = torch.tensor([sample["target"] for sample in samples]).view(-1, self.bins)
        scores = int((self.next == self.score).sum())
        if not scores == len(self.truth) == len(self.target):
            raise SystemExit(f"step.py: {scores} [SCORE], {len(self.truth)} gt_score, {len(self.target)} target")

    def loss(self, model, logits_of):
        hidden = model(self.ids, self.pictures, self.pixels, self.mask).flatten(0, 1)
        said = self.next.flatten()
        if logits_of == "supervised":
            hidden, said = hidden.index_select(0, self.supervised), said[self.supervised]
        logits = model.lm_head(hidden)
        text = F.cross_entropy(logits, said, ignore_index=IGNORED)
        rows = logits[said == self.score, -self.bins:]
        shares = rows.softmax(1)
        l1 = F.smooth_l1_loss(shares @ self.axis, self.truth)
        ce = F.cross_entropy(rows, self.target)
        gaps = (shares - self.target).cumsum(1)
        emd = gaps.square().mean().clamp_min(1e-20).sqrt()  # no NaN where the fit is exact
        return text + l1 + ce + emd

    def described(self, sizes):
        return {
            "samples": len(self.ids),
            "pixels": list(self.pixels.shape),
            "vision_rows": sizes.vision_rows,
            "picture_rows": sizes.queries + 1,
            "rows": list(self.ids.shape),
            "supervised": len(self.supervised),
            "scores": len(self.truth),
        }


def read_batch(folder, samples_file, count, config):
    """The batch, and the ids and labels of its samples before the pictures are spliced in."""
    samples = json.loads(samples_file.read_text())
    samples = [samples[index % len(samples)] for index in range(count or len(samples))]
    tokenizer = Tokenizer(folder)
    conversations = [tokenizer.sample(sample["conversations"]) for sample in samples]
    settings = json.loads((folder / "preprocessor_config.json").read_text())
    pixels = [read_pixels(samples_file.parent / "images" / sample["image"], settings) for sample in samples]
    return Batch(conversations, torch.stack(pixels), samples, config), conversations


def train(model, batch, args):
    """Seconds and loss of each step, those that warm up included."""
    trained = [value for value in model.parameters() if value.requires_grad]
    way = {"foreach": False, "fused": False} if args.adamw == "loop" else {args.adamw: True}
    optimizer = torch.optim.AdamW(trained, lr=args.rate, betas=(0.9, 0.999), eps=1e-8, weight_decay=0, **way)
    seconds, losses = [], []
    for _ in range(args.warmup + args.steps):
        start = time.perf_counter()
        optimizer.zero_grad(set_to_none=True)
        loss = batch.loss(model, args.logits)
        loss.backward()
        if args.clip:
            torch.nn.utils.clip_grad_norm_(trained, args.clip)
        optimizer.step()
        seconds.append(time.perf_counter() - start)
        losses.append(loss.item())
    return seconds, losses


def check(golden, conversations, losses, args):
    """Holds ids and labels against a golden file, and the losses where it is of this checkpoint."""
    if list(zip(*conversations)) != [tuple(golden["ids"]), tuple(golden["labels"])]:
        raise SystemExit("step.py: ids or labels differ from the golden file's, which has all samples in one batch")
    if golden["checkpoint"] != args.checkpoint.name:
        print("step.py: ids and labels equal the golden ones; its losses are another checkpoint's", file=sys.stderr)
        return {"equal": True}
    ones = {"l1_weight": 1, "ce_weight": 1, "emd_weight": 1}
    first = next(combo["loss"] for combo in golden["combos"] if ones.items() <= combo.items())
    difference = abs(losses[0] / first - 1)
    report = {"equal": difference < 1e-4, "first_loss": first, "relative_difference": difference}
    run = next(run for run in golden["runs"] if run["name"] == "constant")
    if args.rate == run["lr"] and not args.clip:  # the steps after the first, updates and all
        pairs = zip(losses, (entry["loss"] for entry in run["history"]))
        report["curve_difference"] = max(abs(loss / entry - 1) for loss, entry in pairs)
    said = "equals" if report["equal"] else "DIFFERS FROM"
    print(f"step.py: ids, labels equal; first loss {losses[0]:.7f} {said} the golden {first:.7f}", file=sys.stderr)
    return report


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path, help="folder with safetensors, config.json and the tokenizer's files")
    parser.add_argument("samples", type=Path, help="conversations in JSON; pictures in images/ beside the file")
    parser.add_argument("--batch", type=int, help="samples in a step (all of the file)")
    parser.add_argument("--steps", type=int, default=10, help="steps that are timed (10)")
    parser.add_argument("--warmup", type=int, default=3, help="steps before them; they train, too (3)")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--logits", choices=["all", "supervised"], default="all",
                        help="rows that get logits: all, as in the official code, or those with a label")
    parser.add_argument("--adamw", choices=["fused", "foreach", "loop"], default="fused")
    parser.add_argument("--rate", type=float, default=0.002, help="learning rate, constant (0.002)")
    parser.add_argument("--clip", type=float, help="largest norm of all gradients (not clipped)")
    parser.add_argument("--golden", type=Path, help="golden file of the samples: compare ids, labels and losses")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    model, config = load(args.checkpoint)
    batch, conversations = read_batch(args.checkpoint, args.samples, args.batch, config)
    seconds, losses = train(model, batch, args)
    timed = seconds[args.warmup:]
    report = {
        "checkpoint": args.checkpoint.name,
        "seconds": {"median": round(statistics.median(timed), 6), "all": [round(value, 6) for value in timed]},
        "threads": args.threads,
        "torch": torch.__version__,
        "dtype": "float32",
        "logits": args.logits,
        "adamw": args.adamw,
        "warmup": args.warmup,
        "batch": batch.described(model.sizes),
        "losses": losses,
    }
    if args.golden:
        report["golden"] = check(json.loads(args.golden.read_text()), conversations, losses, args)
    print(json.dumps(report))
    if args.golden and not report["golden"]["equal"]:
        sys.exit(1)


if __name__ == "__main__":
    main()
