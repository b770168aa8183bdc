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
from torch.nn import functional as F

WIDTH, HIDDEN, HEADS, LAYERS, VOCABULARY = 4096, 11008, 32, 32, 32011
VISION, VISION_HIDDEN, VISION_HEADS, VISION_LAYERS, TOKENS = 1024, 4096, 16, 24, 1025
ABSTRACTOR_HIDDEN, ABSTRACTOR_LAYERS, QUERIES = 2816, 6, 64


def attend(q, k, v, heads, causal=False):
    split = lambda x: x.view(x.shape[0], heads, -1).transpose(0, 1)
    out = F.scaled_dot_product_attention(split(q), split(k), split(v), is_causal=causal)
    return out.transpose(0, 1).reshape(q.shape[0], -1)


class VisionLayer(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(VISION), nn.LayerNorm(VISION)
        self.qkv, self.dense = nn.Linear(VISION, 3 * VISION), nn.Linear(VISION, VISION)
        self.fc1, self.fc2 = nn.Linear(VISION, VISION_HIDDEN), nn.Linear(VISION_HIDDEN, VISION)

    def forward(self, x):
        x = x + self.dense(attend(*self.qkv(self.norm1(x)).chunk(3, -1), VISION_HEADS))
        h = self.fc1(self.norm2(x))
        return x + self.fc2(h * torch.sigmoid(1.702 * h))


class AbstractorLayer(nn.Module):
    def __init__(self):
        super().__init__()
        linear = lambda i, o: nn.Linear(i, o)
        self.normk, self.norm1, self.norm2 = (nn.LayerNorm(VISION) for _ in range(3))
        self.inner = nn.LayerNorm(ABSTRACTOR_HIDDEN)
        self.q, self.k, self.v, self.o = (linear(VISION, VISION) for _ in range(4))
        self.w1, self.w3 = (linear(VISION, ABSTRACTOR_HIDDEN) for _ in range(2))
        self.w2 = linear(ABSTRACTOR_HIDDEN, VISION)

    def forward(self, x, features):
        x = self.norm1(x)
        memory = torch.cat([x, self.normk(features)])
        x = x + self.o(attend(self.q(x), self.k(memory), self.v(memory), VISION_HEADS))
        y = self.norm2(x)
        return x + self.w2(self.inner(F.silu(self.w1(y)) * self.w3(y)))


class LlamaLayer(nn.Module):
    """One set of key and value weights: the rows of both modalities do the same work."""

    def __init__(self):
        super().__init__()
        linear = lambda i, o: nn.Linear(i, o, bias=False)
        self.q, self.k, self.v, self.o = (linear(WIDTH, WIDTH) for _ in range(4))
        self.gate, self.up, self.down = linear(WIDTH, HIDDEN), linear(WIDTH, HIDDEN), linear(HIDDEN, WIDTH)

    def forward(self, x, past=None):
        n = F.rms_norm(x, (WIDTH,))
        q, k, v = self.q(n), self.k(n), self.v(n)
        if past is not None:
            k, v = torch.cat([past, k]), torch.cat([past, v])
        x = x + self.o(attend(q, k, v, HEADS, causal=past is None))
        n = F.rms_norm(x, (WIDTH,))
        return x + self.down(F.silu(self.gate(n)) * self.up(n))


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
    make = lambda kind: [kind().to(dtype) for _ in range(2)]
    rows = lambda n, width: torch.randn(n, width, dtype=dtype)
    half = lambda work: median(args.rounds, work) / 2  # two layers a round

    vision, features = make(VisionLayer), rows(TOKENS, VISION)
    seconds = {"vision": half(lambda: [layer(features) for layer in vision])}
    del vision
    abstractor, queries = make(AbstractorLayer), rows(QUERIES, VISION)
    seconds["abstractor"] = half(lambda: [layer(queries, features) for layer in abstractor])
    del abstractor
    llama, past = make(LlamaLayer), rows(118, WIDTH)
    for name, count in [("prefill 118", 118), ("prefill 128", 128)]:
        x = rows(count, WIDTH)
        seconds[name] = half(lambda: [layer(x) for layer in llama])
    x = rows(1, WIDTH)
    seconds["decode"] = half(lambda: [layer(x, past) for layer in llama])
    del llama
    head = nn.Linear(WIDTH, VOCABULARY, bias=False).to(dtype)
    seconds["head"] = median(args.rounds, lambda: head(x))

    before = VISION_LAYERS * seconds["vision"] + ABSTRACTOR_LAYERS * seconds["abstractor"]
    greedy = before + LAYERS * seconds["prefill 118"] + 10 * LAYERS * seconds["decode"] + 11 * seconds["head"]
    given = before + LAYERS * seconds["prefill 128"] + seconds["head"]
    print(f"PyTorch {torch.__version__}, {args.dtype}, {args.threads} threads, median of {args.rounds}\n")
    print("| a layer | seconds |\n|---|---:|")
    for name, value in seconds.items():
        print(f"| {name} | {value:.4f} |")
    print("\n| a picture, scaled | seconds |\n|---|---:|")
    print(f"| vision and abstractor | {before:.2f} |\n| greedy | {greedy:.2f} |\n| answer given | {given:.2f} |")


main()
