#!/usr/bin/env bash
# Fuzzes every reader of foreign files with libFuzzer, AddressSanitizer and (C code)
# UndefinedBehaviorSanitizer. Corpora grow in .build-fuzz; small seeds stay in Tests/Fuzz/Corpora.
# usage: Scripts/fuzz.sh [SECONDS_EACH] [TARGET …]
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-60}
shift || true
folder=.build-fuzz
if [ $# -eq 0 ]; then set -- safetensors torch sentencepiece tokenizers config pictures; fi
ROC_FUZZ=1 swift build -c release --scratch-path "$folder" --product roc-fuzz \
  -Xswiftc -sanitize=fuzzer,address -Xswiftc -parse-as-library \
  -Xswiftc -sanitize-coverage=edge,trace-cmp,inline-8bit-counters,pc-table \
  -Xcc -fsanitize=address,undefined,fuzzer-no-link -Xcc -fsanitize-trap=undefined
for target in "$@"; do
  work="$folder/corpus/$target"
  mkdir -p "$work" "$folder/found"
  seeds=()
  [ -d "Tests/Fuzz/Corpora/$target" ] && seeds=("Tests/Fuzz/Corpora/$target")
  reference=Tests/Fixtures/reference
  case $target in
    safetensors) cp "$reference"/formats/*.safetensors "$work" ;;
    torch) cp "$reference"/formats/*.bin "$work" ;;
    sentencepiece) cp "$reference"/tokenizer/*/tokenizer.model "$work/tiny.model" 2>/dev/null || true ;;
    config) for name in "$reference"/tiny-*/config.json; do
        cp "$name" "$work/$(basename "$(dirname "$name")").json"; done
      for name in Tests/Fixtures/backbones/*/config.json; do
        cp "$name" "$work/$(basename "$(dirname "$name")").json"; done ;;
    tokenizers) for name in Tests/Fixtures/backbones/*/tokenizer.json; do
        cp "$name" "$work/$(basename "$(dirname "$name")").json"; done ;;
    pictures) find "$reference/images" -maxdepth 1 -type f -size -12k ! -name '*.json' -exec cp {} "$work" \; ;;
  esac
  echo "fuzz: $target for $seconds s"
  scratch=$(mktemp -d /dev/shm/roc-fuzz-XXXXXX)
  ROC_FUZZ_TARGET=$target ROC_FUZZ_SCRATCH=$scratch SWIFT_BACKTRACE=enable=no "$folder/release/roc-fuzz" "$work" "${seeds[@]}" \
    -max_total_time="$seconds" -max_len=32768 -rss_limit_mb=4096 -timeout=10 -print_final_stats=1 \
    -artifact_prefix="$folder/found/$target-" > "$folder/$target.log" 2>&1 ||
    { tail -40 "$folder/$target.log"; echo "fuzz: $target found something in $folder/found"; exit 1; }
  grep -E "stat::number_of_executed_units|stat::new_units_added" "$folder/$target.log"
  rm -rf "$scratch"
done
echo "fuzz: nothing found"
