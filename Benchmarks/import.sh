#!/usr/bin/env bash
# Imports made-up labels of AVA's size with pandas and with roc-data, in turn.
# usage: Benchmarks/import.sh [ROUNDS]; $PYTHON needs numpy and pandas
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
rounds=${1:-5}
roc=.build/release/roc-data
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$python" Benchmarks/Import/make_ava.py "$folder/ava"
cut -d' ' -f2 "$folder/ava/AVA.txt" > "$folder/ids.txt"

# measure NAME COMMAND…: appends "seconds kilobytes" to NAME's file.
measure() {
  /usr/bin/time -a -o "$folder/$1.log" -f '%e %M' "${@:2}" > "$folder/out" 2> "$folder/err"
}

for _ in $(seq "$rounds"); do
  rm -f "$folder"/*.db*
  measure pandas "$python" -W ignore Benchmarks/Import/import_pandas.py "$folder/ava" "$folder/p.db"
  measure roc-data "$roc" import ava --source "$folder/ava" --db "$folder/r.db"
done
"$roc" add-split ava all --train "$folder/ids.txt" --db "$folder/r.db" > "$folder/out"
for _ in $(seq "$rounds"); do
  measure export "$roc" export ava --split all/train --db "$folder/r.db" --output "$folder/all.json"
done

median() { sort -n "$folder/$1.log" | awk '{ a[NR] = $1 } END { print a[int((NR + 1) / 2)] }'; }
peak() { awk '$2 > most { most = $2 } END { printf "%d", most / 1024 }' "$folder/$1.log"; }
echo "| 255,530 rows, median of $rounds | seconds | peak MB |"
echo "|---|---:|---:|"
echo "| import, pandas and executemany | $(median pandas) | $(peak pandas) |"
echo "| import, roc-data | $(median roc-data) | $(peak roc-data) |"
echo "| export of all ROC records | $(median export) | $(peak export) |"
awk -v p="$(median pandas)" -v r="$(median roc-data)" 'BEGIN { printf "\nroc-data takes %.2f of the time of pandas.\n", r / p }'
