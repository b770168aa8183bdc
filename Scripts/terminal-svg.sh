#!/usr/bin/env bash
# Turns text on standard input into an SVG picture of a terminal on standard output.
set -euo pipefail
awk '
  { gsub(/\033\[[0-9;]*m/, ""); gsub(/&/, "\\&amp;"); gsub(/</, "\\&lt;"); gsub(/>/, "\\&gt;")
    lines[NR] = $0; if (length($0) > widest) widest = length($0) }
  END {
    width = widest * 8.45 + 40; height = NR * 20 + 40
    printf "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\">\n", width, height
    printf "<rect width=\"100%%\" height=\"100%%\" rx=\"10\" fill=\"#16181d\"/>\n"
    printf "<g font-family=\"ui-monospace, Menlo, Consolas, DejaVu Sans Mono, monospace\""
    printf " font-size=\"14\" fill=\"#d8dee9\" xml:space=\"preserve\">\n"
    for (i = 1; i <= NR; i++) {
      step = lines[i] ~ /^[0-9]\/[0-9]  / ? " fill=\"#88c0d0\" font-weight=\"bold\"" : ""
      printf "<text x=\"20\" y=\"%d\"%s>%s</text>\n", i * 20 + 16, step, lines[i]
    }
    printf "</g>\n</svg>\n"
  }'
