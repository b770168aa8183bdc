#!/usr/bin/env python3
"""BCa intervals of 10,000 resamples for 20,000 pairs: roc-eval beside scipy, in one run.

usage: bootstrap.py ROC_EVAL [ROUNDS]; needs numpy and scipy

roc-eval's time is that of the whole command with all its metrics; scipy's loop over spearmanr is
timed for 100 resamples and multiplied, since all of them would take a minute.
"""
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy as np
from scipy import stats

roc, rounds = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 3
random = np.random.default_rng(1)
n = 20_000
truth = random.normal(5.4, 0.7, n).round(3)
score = truth + random.normal(0, 0.5, n)
ours, startup, theirs = [], [], []
with tempfile.TemporaryDirectory() as folder:
    path = pathlib.Path(folder, "p.csv")
    rows = "".join(f"{i}.jpg,{g},{s!r}\n" for i, (g, s) in enumerate(zip(truth.tolist(), score.tolist())))
    path.write_text("image,gt_score,score\n" + rows)
    for _ in range(rounds):
        for resamples, times in (("10000", ours), ("0", startup)):
            start = time.perf_counter()
            subprocess.run([roc, "metrics", "--predictions", path, "--resamples", resamples, "--json"],
                           capture_output=True, check=True)
            times.append(time.perf_counter() - start)
        start = time.perf_counter()
        for _ in range(100):
            place = random.integers(0, n, n)
            stats.spearmanr(score[place], truth[place])
        theirs.append((time.perf_counter() - start) * 100)
whole, rest, loop = (float(np.median(times)) for times in (ours, startup, theirs))
print("| 20,000 pairs, 10,000 resamples, median | seconds |\n|---|---:|")
print(f"| roc-eval: all eight metrics, fits and reading included | {whole:.2f} |")
print(f"| of that without resamples | {rest:.2f} |")
print(f"| scipy: spearmanr alone | {loop:.1f} |")
print(f"\nThe resamples take {(whole - rest) / loop:.3f} of the time of scipy's loop for SRCC alone.")
