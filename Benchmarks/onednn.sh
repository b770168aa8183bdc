#!/usr/bin/env bash
# Products of the full-size model beside Debian's oneDNN (libdnnl-dev), which no part of roc uses.
set -euo pipefail
cd "$(dirname "$0")/.."
if ! dpkg -s libdnnl-dev > /dev/null 2>&1; then
  echo "install oneDNN first: apt-get install libdnnl-dev" >&2
  exit 1
fi
clang=$(dirname "$(readlink -f "$(command -v swiftc)")")/clang
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
# Kernels as the Swift package manager compiles them.
"$clang" -std=c17 -O2 -fPIC -fno-omit-frame-pointer -D_POSIX_C_SOURCE=200809L -Wall -Wextra \
  -ISources/CRocKernels/include Sources/CRocKernels/*.c Benchmarks/oneDNN/products.c \
  -ldnnl -lm -lpthread -o "$folder/products"
# Its threads would spin through our turns otherwise.
OMP_WAIT_POLICY=passive "$folder/products"
