#!/usr/bin/env bash
# docs/report.webp: the top of the report page that `make demo` writes, as a browser shows it.
# Needs chromium and cwebp (Debian's packages chromium and webp).
# usage: Scripts/report-picture.sh demo-output/report/index.html
set -euo pipefail
page=$(realpath "$1")
cd "$(dirname "$0")/.."
picture=$(mktemp --suffix .png)
trap 'rm -f "$picture"' EXIT
chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --force-color-profile=srgb \
  --window-size=1100,1540 --screenshot="$picture" "file://$page" 2> /dev/null
cwebp -quiet -q 82 "$picture" -o docs/report.webp
