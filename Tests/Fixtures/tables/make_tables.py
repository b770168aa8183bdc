#!/usr/bin/env python3
"""Makes the binary files and expected values of the importers' and exporters' tests.

usage: make_tables.py   (needs numpy, scipy and openpyxl; writes beside itself)
"""
import io
import json
import pathlib
import random
import tarfile
import zipfile

import numpy as np
import openpyxl
import scipy.io
import scipy.stats

here = pathlib.Path(__file__).parent

# SPAQ's workbook, as Excel writes it: shared strings, numbers, an empty cell.
book = openpyxl.Workbook()
sheet = book.active
sheet.append(["Image name", "MOS", "Brightness", "Colorfulness", "Contrast", "Noisiness", "Sharpness"])
sheet.append(["00001.jpg", 35.2, 31, 40.5, 29, 50, 33])
sheet.append(["00002.jpg", 96, 80, None, 71, 88, 90])
sheet.append(["00003 & <4>.jpg", 2.5, 10, 11, 12, 13, 14])
book.save(here / "spaq.xlsx")

# LIVE-C's variables, one a file, the first seven pictures those of the study.
names = [f"t{n}.bmp" for n in range(1, 8)] + ["10.bmp", "11.JPG", "12.bmp"]
cells = np.empty((len(names), 1), dtype=object)
for place, name in enumerate(names):
    cells[place, 0] = name
scores = np.linspace(12.5, 80, len(names)).reshape(1, -1)
scipy.io.savemat(here / "AllImages_release.mat", {"AllImages_release": cells}, do_compression=True)
scipy.io.savemat(here / "AllMOS_release.mat", {"AllMOS_release": scores}, do_compression=False)
scipy.io.savemat(here / "AllStdDev_release.mat", {"AllStdDev_release": scores / 4}, do_compression=True)

# AADB's names and scores, and the attributes in the same order without names.
random.seed(1)
train, test = [f"farm1_{n}_b.jpg" for n in range(4)], ["farm2_1_b.jpg", "farm2_2_b.jpg"]
names, tables = {}, []
for kind, pictures in (("train", train), ("test", test)):
    cells = np.empty((1, len(pictures)), dtype=object)
    for place, name in enumerate(pictures):
        cells[0, place] = name
    rated = np.array([[random.randrange(0, 21) / 20 for _ in pictures]])
    names |= {f"{kind}NameList": cells, f"{kind}Score": rated}
    rows = [[rated[0, i]] + [random.randrange(-20, 21) / 20 for _ in range(11)] for i in range(len(pictures))]
    tables.append(np.array(rows))
scipy.io.savemat(here / "AADBinfo.mat", names)
cells = np.empty((1, 3), dtype=object)
cells[0, 0], cells[0, 1], cells[0, 2] = tables[0], tables[1], np.zeros((1, 12))
scipy.io.savemat(here / "attMat.mat", {"dataset": cells})
(here / "aadb.json").write_text(json.dumps({
    "train": dict(zip(train, tables[0].tolist())), "test": dict(zip(test, tables[1].tolist()))}, indent=1) + "\n")


# DeQA-Score's soft labels of made-up votes, by the algorithm of build_soft_labels/gen_soft_label.py.
def soft(votes, low, high, density):
    levels = np.arange(1, 6)
    raters = np.repeat(levels, votes).astype(float)
    mos, std = float(raters.mean()), float(raters.std(ddof=1)) if len(raters) > 1 else 0.0
    mean, spread = 4 * (mos - low) / (high - low) + 1, 4 * std / (high - low)
    order = np.array([5, 4, 3, 2, 1], dtype=float)
    if density == "pdf":
        raw = scipy.stats.norm.pdf(order, mean, spread)
    else:
        raw = scipy.stats.norm.cdf(order + 0.5, mean, spread) - scipy.stats.norm.cdf(order - 0.5, mean, spread)
    total, first = raw.sum(), (raw * order).sum()
    alpha = (mean - 3) / (first - 3 * total + 1e-9)
    beta = (1 - alpha * total) / 5
    probabilities = np.maximum(alpha * raw + beta, 0)
    binary = bool(spread < 0.2 or abs((probabilities * order).sum() - mean) > 0.1)
    if binary:
        probabilities = np.zeros(5)
        for i in range(1, 5):
            left, right = i - 1e-8, i + 1 + 1e-8
            if left <= mean < right:
                probabilities[i - 1] = (right - mean) / (right - left)
                probabilities[i] = (mean - left) / (right - left)
                break
        probabilities = probabilities[::-1]
    return {"votes": votes, "density": density, "mos": mos, "std": std, "norm": mean,
            "std_norm": spread, "org": raw.tolist(), "probs": probabilities.tolist(), "binary": binary}


vectors = []
for _ in range(40):
    centre, width = random.uniform(0.6, 4.6), random.uniform(0.1, 1.2)
    weights = np.exp(-((np.arange(1, 6) - centre) ** 2) / (2 * width**2)) + 1e-12
    votes = np.random.default_rng(random.randrange(10**6)).multinomial(100, weights / weights.sum())
    if (votes > 0).sum() < 2:
        votes[2], votes[votes.argmax()] = votes[2] + 1, votes.max() - 1
    vectors += [soft(votes.tolist(), 1.1, 4.9, density) for density in ("pdf", "cdf")]
vectors.append(soft([0, 0, 99, 1, 0], 1.1, 4.9, "pdf"))
(here / "soft_labels.json").write_text(json.dumps({"low": 1.1, "high": 4.9, "vectors": vectors}, indent=1) + "\n")

# Archives that must not be trusted.
picture = (here.parent / "reference/images/rgb_64x64.png").read_bytes()
with zipfile.ZipFile(here / "hostile.zip", "w") as archive:
    archive.writestr("photos/good.png", picture)
    archive.writestr("../escaped.png", picture)
    archive.writestr("/absolute.png", picture)
    archive.writestr("photos/..\\..\\windows.png", picture)
    archive.writestr("photos/..\u0301/../accent.png", picture)
    archive.writestr("photos/broken.png", picture[: len(picture) // 2])
    archive.writestr("readme.txt", "no picture")
with tarfile.open(here / "hostile.tar.gz", "w:gz") as archive:
    def add(name, **facts):
        entry = tarfile.TarInfo(name)
        data = facts.pop("data", b"")
        entry.size = len(data)
        for key, value in facts.items():
            setattr(entry, key, value)
        archive.addfile(entry, io.BytesIO(data))

    add("out", type=tarfile.SYMTYPE, linkname="/tmp")
    add("out/through.png", data=picture)
    add("hard.png", type=tarfile.LNKTYPE, linkname="/etc/passwd")
    add("pipe.png", type=tarfile.FIFOTYPE)
    add("good.png", data=picture)
with zipfile.ZipFile(here / "clash.zip", "w") as archive:
    for name in ("a.png", "a.png/b.png", "c.png"):
        archive.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), picture)
with zipfile.ZipFile(here / "bomb.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
    for number in range(3):
        archive.writestr(f"{number}.bmp", bytes(4_000_000))
    archive.writestr("huge.bmp", bytes(6_000_000))
