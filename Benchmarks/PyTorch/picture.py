#!/usr/bin/env python3
"""The work of one picture in PyTorch on a CPU, to be read beside `roc-model bench`.

usage: picture.py [--dtype float32|bfloat16] [--threads N] [--rounds N]

PyTorch is no part of roc: pip install torch into a folder of its own. The full model does not fit
into the memory of a small machine in float32, so layers of its sizes are timed (two different ones
in turn, so that their weights come from memory) and multiplied by their number:

    greedy     = 24 vision layers + 6 abstractor layers + prefill of 118 rows + 10 decoding steps
    verified   = the same with the answer given: one pass over 128 rows

Prints Markdown: seconds of a layer (median of the rounds) and of a picture.
"""
import argparse
import statistics
import time

import torch
from torch import nn

from model import AbstractorLayer, LlamaLayer, Sizes, VisionLayer, rotary_table

SIZES = Sizes()


def median(rounds, work):
    work()
    seconds = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dtype", choices=["float32", "bfloat16"], default="bfloat16")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.set_grad_enabled(False)
    dtype = getattr(torch, args.dtype)
    make = lambda kind: [kind(SIZES).to(dtype) for _ in range(2)]
    rows = lambda n, width: torch.randn(1, n, width, dtype=dtype)
    half = lambda work: median(args.rounds, work) / 2  # two layers a round

    vision, features = make(VisionLayer), rows(SIZES.vision_rows, SIZES.vision)
    seconds = {"vision": half(lambda: [layer(features) for layer in vision])}
    del vision
    abstractor, queries = make(AbstractorLayer), rows(SIZES.queries, SIZES.vision)
    seconds["abstractor"] = half(lambda: [layer(queries, features) for layer in abstractor])
    del abstractor
    llama, head_width = make(LlamaLayer), SIZES.width // SIZES.heads
    turns = lambda *span: [part.to(dtype) for part in rotary_table(torch.arange(*span), head_width, SIZES.theta)]
    for name, count in [("prefill 118", 118), ("prefill 128", 128)]:
        x, rotary = rows(count, SIZES.width), turns(count)
        seconds[name] = half(lambda: [layer(x, rotary) for layer in llama])
    past = tuple(torch.randn(1, SIZES.key_heads, 118, head_width, dtype=dtype) for _ in range(2))
    x, rotary = rows(1, SIZES.width), turns(118, 119)
    seconds["decode"] = half(lambda: [layer(x, rotary, past=past) for layer in llama])
    del llama
    head = nn.Linear(SIZES.width, SIZES.vocabulary, bias=False).to(dtype)
    seconds["head"] = median(args.rounds, lambda: head(x))

    before = SIZES.vision_layers * seconds["vision"] + SIZES.abstractor_layers * seconds["abstractor"]
    decode = SIZES.layers * seconds["decode"] + seconds["head"]
    greedy = before + SIZES.layers * seconds["prefill 118"] + seconds["head"] + 10 * decode
    given = before + SIZES.layers * seconds["prefill 128"] + seconds["head"]
    print(f"PyTorch {torch.__version__}, {args.dtype}, {args.threads} threads, median of {args.rounds}\n")
    print("| a layer | seconds |\n|---|---:|")
    for name, value in seconds.items():
        print(f"| {name} | {value:.4f} |")
    print("\n| a picture, scaled | seconds |\n|---|---:|")
    print(f"| vision and abstractor | {before:.2f} |\n| greedy | {greedy:.2f} |\n| answer given | {given:.2f} |")


main()
