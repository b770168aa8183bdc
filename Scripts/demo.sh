#!/usr/bin/env bash
# The main job on a bundled example: a dataset is made, imported and checked, its test split is
# scored, and the metrics become a LaTeX table and a page.
# usage: Scripts/demo.sh FOLDER_OF_THE_BUILT_COMMANDS OUTPUT
set -euo pipefail
built=$1
output=$2
checkpoint=Examples/demo-checkpoint
export ROC_DB=$output/roc.sqlite
rm -rf "$output"
mkdir -p "$output"

step() { printf '\n\033[1m%s\033[0m\n' "$*"; }

step "1/7  Make 1,500 pictures with votes, in AVA's file layout"
"$built/roc-data" demo --output "$output/dataset"
step "2/7  Import labels and splits into $ROC_DB"
"$built/roc-data" import ava --source "$output/dataset" --images "$output/dataset/images"
step "3/7  Validate the records that training would read"
"$built/roc-data" validate ava
step "4/7  Decode every picture"
"$built/roc-data" verify-images ava
step "5/7  Score the 500 test pictures with $checkpoint"
"$built/roc-eval" --checkpoint "$checkpoint" --dataset ava --split test \
  --csv "$output/predictions.csv" --latex "$output/table.tex" --html "$output/table.html"
step "6/7  The same metrics from the file of predictions, and the LaTeX table"
"$built/roc-eval" metrics --predictions "$output/predictions.csv"
printf '\n'
cat "$output/table.tex"
step "7/7  A page about the run: metrics, figures, worst misses"
"$built/roc-eval" report 1 --output "$output/report"
cat << EOF

The demo checkpoint was trained on other pictures of the same painter (make demo-checkpoint) and
knows no photographs. With a real one:
  $built/roc-eval score --checkpoint FOLDER photo.jpg
Look at $output/report/index.html, or open $ROC_DB with any SQLite browser.
EOF
