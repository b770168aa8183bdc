#!/usr/bin/env python3
"""Imports AVA's label package as a Python user would: pandas and sqlite3's executemany.

usage: import_pandas.py FOLDER DATABASE

It stores what `roc-data import ava` stores: scores, vote counts, tags and challenges of every
row, the names of tags, challenges and styles, the style labels, and the parts of all schemes.
"""
import pathlib
import sqlite3
import sys

import pandas as pd

folder, database = pathlib.Path(sys.argv[1]), sys.argv[2]
columns = ["position", "id"] + [f"c{n}" for n in range(1, 11)] + ["tag1", "tag2", "challenge"]
table = pd.read_csv(folder / "AVA.txt", sep=" ", header=None, names=columns)
counts = table[[f"c{n}" for n in range(1, 11)]]
total = counts.sum(axis=1)
score = (counts * range(1, 11)).sum(axis=1) / total

db = sqlite3.connect(database)
db.executescript("""
    PRAGMA journal_mode = WAL;
    CREATE TABLE samples (id INTEGER PRIMARY KEY, key TEXT UNIQUE, gt_score REAL, extra TEXT);
    CREATE TABLE votes (sample INTEGER PRIMARY KEY, counts TEXT, total INTEGER);
    CREATE TABLE names (kind TEXT, number INTEGER, name TEXT, PRIMARY KEY (kind, number));
    CREATE TABLE attributes (sample INTEGER, name TEXT, value REAL, PRIMARY KEY (sample, name))
        WITHOUT ROWID;
    CREATE TABLE members (scheme TEXT, part TEXT, sample INTEGER,
        PRIMARY KEY (scheme, part, sample)) WITHOUT ROWID;
    CREATE TABLE lists (name TEXT PRIMARY KEY, listed INTEGER, unlabelled INTEGER, keys TEXT);
""")
with db:
    rows = range(1, len(table) + 1)
    keys = (table["id"].astype(str) + ".jpg").tolist()
    extra = (
        f'{{"index":{a},"tag1":{b},"tag2":{c},"challenge":{d}}}'
        for a, b, c, d in zip(table["position"], table["tag1"], table["tag2"], table["challenge"]))
    db.executemany("INSERT INTO samples VALUES (?, ?, ?, ?)", zip(rows, keys, score.tolist(), extra))
    texts = ("[" + ",".join(map(str, row)) + "]" for row in counts.to_numpy().tolist())
    db.executemany("INSERT INTO votes VALUES (?, ?, ?)", zip(rows, texts, total.tolist()))

    for kind, file in (("tag", "tags.txt"), ("challenge", "challenges.txt"),
                       ("style", "style_image_lists/styles.txt")):
        names = [line.split(" ", 1) for line in (folder / file).read_text().splitlines()]
        db.executemany(
            "INSERT INTO names VALUES (?, ?, ?)", ((kind, int(n), name) for n, name in names))

    row_of = dict(zip(table["id"].tolist(), rows))

    def read(name):
        return pd.read_csv(folder / name, header=None)[0].tolist()

    def members(scheme, part, ids):
        db.executemany(
            "INSERT INTO members VALUES (?, ?, ?)",
            ((scheme, part, row_of[i]) for i in ids if i in row_of))

    def keep(name, ids):
        absent = sum(i not in row_of for i in ids)
        db.execute("INSERT OR REPLACE INTO lists VALUES (?, ?, ?, ?)",
                   (name, len(ids), absent, "\n".join(f"{i}.jpg" for i in ids)))

    lists = "aesthetics_image_lists"
    test = read(f"{lists}/generic_test.jpgl")
    keep("generic_test", test)
    tested = set(test)
    members("official", "test", test)
    members("official", "train", (i for i in row_of if i not in tested))
    for scheme, name in (("generic-ls", "generic_ls_train"), ("generic-ss", "generic_ss_train")):
        ids = read(f"{lists}/{name}.jpgl")
        keep(name, ids)
        members(scheme, "train", ids)
        members(scheme, "test", test)
    for scheme in "animal architecture cityscape floral fooddrink landscape portrait stilllife".split():
        for part in ("train", "test"):
            ids = read(f"{lists}/{scheme}_{part}.jpgl")
            keep(f"{scheme}_{part}", ids)
            members(scheme, part, ids)
    train, test = read("style_image_lists/train.jpgl"), read("style_image_lists/test.jpgl")
    for part, ids in (("train", train), ("test", test)):
        keep(f"style_{part}", ids)
        members("style", part, ids)
    styles = dict(db.execute("SELECT number, name FROM names WHERE kind = 'style'"))
    labels = read("style_image_lists/train.lab")
    pairs = [(row_of[i], f"style/{styles[n]}", 1.0) for i, n in zip(train, labels) if i in row_of]
    flags = pd.read_csv(folder / "style_image_lists/test.multilab", sep=" ", header=None).to_numpy()
    pairs += [
        (row_of[i], f"style/{styles[n + 1]}", 1.0)
        for i, row in zip(test, flags.tolist()) if i in row_of
        for n, flag in enumerate(row) if flag]
    db.executemany("INSERT INTO attributes VALUES (?, ?, ?)", pairs)
print(f"{len(table)} rows, mean {score.mean():.6f}, {int(total.sum())} votes")
