#!/usr/bin/env bash
# Trains the demo checkpoint from random weights and measures it on the demo's test split.
# The portable kernels compute alike on every x86-64 CPU, so that the result can be compared.
# usage: Scripts/demo-checkpoint.sh FOLDER_OF_THE_BUILT_COMMANDS OUTPUT
set -euo pipefail
built=$1
output=$2
committed=Examples/demo-checkpoint
[ -f "$committed/config.json" ] || {
  echo "Run this from the project's folder: there is no $committed here." >&2
  exit 1
}
export ROC_KERNELS=portable
export ROC_DB=$output/roc.sqlite
rm -rf "$output"
mkdir -p "$output"
SECONDS=0

step() { printf '\n\033[1m%s\033[0m\n' "$*"; }

step "1/4  Make 36,000 pictures; the first 1,500, and which of them are for testing, are make demo's"
"$built/roc-data" demo --output "$output/dataset" --images 36000
"$built/roc-data" import ava --source "$output/dataset" --images "$output/dataset/images"
step "2/4  Make a tiny model of random weights"
"$built/roc-model" init "$output/start" --preset tiny --seed 1
step "3/4  Train it on the 24,000 pictures that are not for testing"
"$built/roc-train" --model-name-or-path "$output/start" --dataset ava --split train \
  --output-dir "$output/trained" --num-train-epochs 5 --per-device-train-batch-size 16 \
  --learning-rate 1e-3 --l1-weight 1 --ce-weight 1 --emd-weight 1 --seed 42
step "4/4  Score make demo's 500 test pictures"
head -n 500 "$output/dataset/aesthetics_image_lists/generic_test.jpgl" > "$output/test.txt"
"$built/roc-data" add-split ava demo --test "$output/test.txt"
"$built/roc-eval" --checkpoint "$output/trained" --dataset ava --split demo/test \
  --csv "$output/predictions.csv"

echo
echo "All of it took $((SECONDS / 60)) minutes $((SECONDS % 60)) seconds."
same=yes
files=()
for file in "$committed"/*; do
  name=$(basename "$file")
  [ "$name" = README.md ] && continue
  files+=("$output/trained/$name")
  cmp -s "$file" "$output/trained/$name" || {
    same=no
    echo "$file differs from $output/trained/$name"
  }
done
if [ $same = yes ]; then
  echo "$committed is this model, byte for byte."
else
  cat << EOF
The kernels, the painter or the recipe were changed since, or this machine computes otherwise. To make
this model the demo's:
  cp $(printf '%q ' "${files[@]}")$committed
EOF
  exit 1
fi
