#!/usr/bin/env bash
# One training step of roc beside PyTorch's, alternating: the same checkpoint, the same batch of 4
# records, float32, two threads, AdamW, no clipping.
# usage: Benchmarks/training-step.sh CHECKPOINT RECORDS.json IMAGES [ROUNDS] [PYTHON]
#   PYTHON has torch, safetensors, sentencepiece and Pillow; it is no part of the product.
set -euo pipefail
checkpoint=$1 records=$2 images=$3 rounds=${4:-3} python=${5:-python3}
cd "$(dirname "$0")/.."
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# Seconds of a training of so many updates, everything included.
train() {
  rm -rf "$scratch/out"
  local start end
  start=$(date +%s.%N)
  .build/release/roc-train --model-name-or-path "$checkpoint" --data-path "$records" \
    --image-folder "$images" --per-device-train-batch-size 4 --max-steps "$1" --threads 2 \
    --learning-rate 2e-3 --lr-scheduler-type constant --max-grad-norm 0 \
    --l1-weight 1 --ce-weight 1 --emd-weight 1 --output-dir "$scratch/out" 2> "$scratch/log" ||
    { cat "$scratch/log" >&2; exit 1; }
  end=$(date +%s.%N)
  echo "$end - $start" | bc -l
}

for _ in $(seq "$rounds"); do
  short=$(train 2)
  long=$(train 22)
  # What both have in common, loading and writing, falls out of the difference.
  printf 'roc     %.4f s a step\n' "$(echo "($long - $short) / 20" | bc -l)"
  "$python" Benchmarks/PyTorch/step.py "$checkpoint" "$records" --batch 4 --steps 20 --warmup 3 \
    --threads 2 2> /dev/null |
    "$python" -c 'import json, sys
d = json.load(sys.stdin)
print("PyTorch %.4f s a step" % d["seconds"]["median"], d.get("torch", ""))'
done
