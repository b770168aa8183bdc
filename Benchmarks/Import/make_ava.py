#!/usr/bin/env python3
"""Writes made-up labels in AVA's own layout and size: 255,530 rows, all lists, tags and style labels.

usage: make_ava.py FOLDER [ROWS]
"""
import pathlib
import sys

import numpy as np

folder, rows = pathlib.Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 255_530
random = np.random.default_rng(1)
for name in ("aesthetics_image_lists", "style_image_lists"):
    (folder / name).mkdir(parents=True, exist_ok=True)

ids = random.choice(np.arange(10_000, 960_000), rows + 70, replace=False)
ids, absent = ids[:rows], ids[rows:]
means = random.normal(5.4, 0.75, rows).clip(1.5, 9)
weights = np.exp(-((np.arange(1, 11) - means[:, None]) ** 2) / 4)
weights /= weights.sum(1, keepdims=True)
votes = random.multinomial(random.integers(78, 550, rows), weights)
challenges = [n for n in range(2, 1409) if n not in (3, 46, 63, 75, 245, 488, 666, 881, 1400)]
columns = np.column_stack([
    np.arange(1, rows + 1), ids, votes, random.integers(1, 30, rows),
    random.integers(30, 67, rows), random.choice(challenges, rows),
])
np.savetxt(folder / "AVA.txt", columns, fmt="%d")
(folder / "tags.txt").write_text("".join(f"{n} Tag {n}, etc\n" for n in range(66, 0, -1)))
(folder / "challenges.txt").write_text("".join(f"{n} Challenge_{n}\n" for n in challenges))


def write(name, values):
    (folder / name).write_text("".join(f"{value}\n" for value in values))


lists = "aesthetics_image_lists"
share = rows / 255_530
order = random.permutation(ids)
count = int(20_000 * share)
test = np.concatenate([order[: count - 70], absent])
train = order[count : 2 * count]
write(f"{lists}/generic_test.jpgl", test)
write(f"{lists}/generic_ls_train.jpgl", train)
write(f"{lists}/generic_ss_train.jpgl", train[: count // 8])
for number, name in enumerate(
    "animal architecture cityscape floral fooddrink landscape portrait stilllife".split()
):
    write(f"{lists}/{name}_train.jpgl", train[number * (count // 8) :][: count // 8])
    write(f"{lists}/{name}_test.jpgl", test[number * (count // 8) :][: count // 8])
styled = random.permutation(ids)[: int(14_079 * share)]
first = int(11_270 * share)
write("style_image_lists/styles.txt", [f"{n} Style_{n}" for n in range(1, 15)])
write("style_image_lists/train.jpgl", styled[:first])
write("style_image_lists/train.lab", random.integers(1, 15, first))
write("style_image_lists/test.jpgl", styled[first:])
np.savetxt(
    folder / "style_image_lists/test.multilab",
    random.random((len(styled) - first, 14)) < 0.1, fmt="%d")
