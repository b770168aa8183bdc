#!/usr/bin/env bash
# Writes docs/commands.md from the commands' own help.
# usage: Scripts/commands.sh FOLDER_OF_THE_BUILT_COMMANDS
set -euo pipefail
cd "$(dirname "$0")/.."
built=$1
section() {
  printf '## %s\n\n```\n' "$*"
  "$built/$1" "${@:2}" --help
  printf '\n```\n\n'
}
{
  printf '# Commands\n\nThe help of every command, written by `make docs`.\n\n'
  section roc-data
  for command in import add-split list stats verify-images validate export audit card rename remove demo; do
    section roc-data $command
  done
  section roc-eval
  for command in run score metrics compare power runs table report remove merge slurm; do section roc-eval $command; done
  section roc-model
  for command in inspect init add-score-tokens convert bench verify doctor; do section roc-model $command; done
  section roc-serve
  section roc-train
  printf "All flags of roc-train:\n\n\x60\x60\x60\n"
  "$built/roc-train" --help-hidden
  printf "\n\x60\x60\x60\n"
} > docs/commands.md
