#!/usr/bin/env bash
# The first five steps of `make demo`, read from standard input, as an SVG picture.
set -euo pipefail
sed -n '/1\/7/,/6\/7/p' | sed '/6\/7/d' | grep -v 'generic-' | cut -c1-110 \
  | "$(dirname "$0")/terminal-svg.sh"
