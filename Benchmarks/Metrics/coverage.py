#!/usr/bin/env python3
"""How often roc-eval's 95 % intervals hold the truth, and how often its tests cry wolf.

usage: coverage.py ROC_EVAL [SETS [IMAGES]]; needs numpy

Predictions and ground truth are drawn from distributions whose metrics are known (or found from ten
million draws), and the built command computes its intervals for each set. A coverage of 95 % over
1,000 sets has a standard error of 0.7 %.
"""
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

roc, sets = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1000
images = int(sys.argv[3]) if len(sys.argv) > 3 else 200
random = np.random.default_rng(1)


def normal(n):
    """A bivariate normal of correlation 0.8, on AVA's scale."""
    truth = random.normal(5.4, 0.7, n)
    return 5.4 + 0.8 * (truth - 5.4) + random.normal(0, 0.7 * 0.6, n), truth


def skewed(n):
    """Ground truth with a long tail, and a bent relation."""
    truth = 3 + random.gamma(2, 0.8, n)
    return np.log1p(truth) * 3 + random.normal(0, 0.3, n) * truth / 5, truth


def rounded(n):
    """Both on a scale of halves: many ties."""
    p, g = normal(n)
    return (p * 2).round() / 2, (g * 2).round() / 2


def metrics(p, g):
    rank = lambda x: np.unique(x, return_inverse=True, return_counts=True)
    def average(x):
        _, place, counts = rank(x)
        return (counts.cumsum() - (counts - 1) / 2)[place]
    return {
        "srcc": np.corrcoef(average(p), average(g))[0, 1], "plcc": np.corrcoef(p, g)[0, 1],
        "mae": np.abs(p - g).mean(), "rmse": np.sqrt(((p - g) ** 2).mean()),
        "accuracy": ((p > 5) == (g > 5)).mean(),
    }


def run(*arguments):
    return json.loads(subprocess.run([roc, *arguments, "--json"], capture_output=True, check=True).stdout)


def write(path, p, g):
    rows = "".join(f"{i},{a!r},{b!r}\n" for i, (a, b) in enumerate(zip(g.tolist(), p.tolist())))
    path.write_text("image,gt_score,score\n" + rows)


with tempfile.TemporaryDirectory() as folder:
    file, other = pathlib.Path(folder, "a.csv"), pathlib.Path(folder, "b.csv")
    print(f"{sets} sets of {images} images, 2,000 resamples\n")
    print("| distribution | interval | SRCC | PLCC | MAE | RMSE | accuracy |\n|---|---|---:|---:|---:|---:|---:|")
    for draw in (normal, skewed, rounded):
        truth = metrics(*draw(10_000_000))
        hits = {"ci95": dict.fromkeys(truth, 0), "ci95_analytic": dict.fromkeys(truth, 0)}
        for number in range(sets):
            write(file, *draw(images))
            found = run("metrics", "--predictions", str(file), "--resamples", "2000", "--seed", str(number))
            for kind, counts in hits.items():
                for name, value in truth.items():
                    low, high = found[kind][name]
                    counts[name] += low <= value <= high
        for kind, counts in hits.items():
            cells = " | ".join(f"{100 * count / sets:.1f} %" for count in counts.values())
            print(f"| {draw.__name__} | {'BCa' if kind == 'ci95' else 'formula'} | {cells} |", flush=True)
    wolf = dict.fromkeys(("srcc", "plcc", "mae", "accuracy"), 0)
    resampled = dict.fromkeys(wolf, 0)
    for number in range(sets):
        truth = random.normal(5.4, 0.7, images)
        shared = random.normal(0, 0.3, images)
        for path in (file, other):
            write(path, truth + shared + random.normal(0, 0.3, images), truth)
        found = run("compare", str(file), str(other), "--resamples", "1000", "--seed", str(number))
        for name in wolf:
            row = found["comparisons"][0]["metrics"][name]
            resampled[name] += row["p_bootstrap"] < 0.05
            wolf[name] += (row["p_test"] if row["p_test"] is not None else row["p_bootstrap"]) < 0.05
    print("\nTwo equally good models: how often p < 0.05 (5 % is right)\n")
    print("| test | " + " | ".join(name.upper() for name in wolf) + " |\n|---|---:|---:|---:|---:|")
    print("| paired bootstrap | " + " | ".join(f"{100 * n / sets:.1f} %" for n in resampled.values()) + " |")
    print("| Steiger, McNemar | " + " | ".join(
        f"{100 * wolf[n] / sets:.1f} %" if n != "mae" else "–" for n in wolf) + " |")
