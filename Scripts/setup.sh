#!/usr/bin/env bash
# Installs the Debian packages that roc builds with, if any is missing; with the argument "tests"
# those, too, with which tests set LaTeX, draw its pages, multiply with OpenBLAS and look at
# the server in a browser; with
# "emulator" those that emulate a processor.
set -euo pipefail
packages=(libjpeg-dev libpng-dev libwebp-dev libsqlite3-dev libssl-dev
  libarchive-dev zlib1g-dev pkg-config)
[ "${1:-}" != emulator ] || packages=(bochs bochs-term bochsbios vgabios grub-pc-bin grub-common
  xorriso mtools)
[ "${1:-}" != tests ] || packages+=(texlive-latex-recommended poppler-utils
  libopenblas0 chromium chromium-driver)
if ! command -v swift > /dev/null; then
  echo "roc needs a Swift 6.2 toolchain or newer: https://www.swift.org/install/linux" >&2
  exit 1
fi
missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f '${Status}' "$package" 2> /dev/null | grep -q 'ok installed' \
    || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0
echo "Installing ${missing[*]}"
as_root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo > /dev/null || {
    echo "Run as root: apt-get install ${missing[*]}" >&2
    exit 1
  }
  as_root=(sudo)
fi
export DEBIAN_FRONTEND=noninteractive
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" > /dev/null
