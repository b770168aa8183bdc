#!/usr/bin/env bash
# Builds the C code with AddressSanitizer and UndefinedBehaviorSanitizer and runs the harness over
# it, and the thread team with ThreadSanitizer; then proves with two planted mistakes that a mistake would fail.
set -euo pipefail
cd "$(dirname "$0")/.."
clang=$(dirname "$(readlink -f "$(command -v swiftc)")")/clang
# The toolchain's ThreadSanitizer wants its own libdispatch.
runtime=$(dirname "$clang")/../lib/swift/linux
folder=${1:-.build-sanitize}
mkdir -p "$folder"
flags=(-std=c17 -g -O1 -fno-omit-frame-pointer -fsanitize=address,undefined
  -fno-sanitize-recover=all -Wall -Wextra -Werror -Wno-implicit-fallthrough)
libraries=$(pkg-config --cflags --libs libjpeg libpng libwebpdemux)
# shellcheck disable=SC2086
"$clang" "${flags[@]}" -ISources/CRocKernels/include -ISources/CRocImage/include \
  Sources/CRocKernels/*.c Sources/CRocImage/*.c Tests/Sanitize/harness.c Tests/Sanitize/kernels.c Tests/Sanitize/emulated.c \
  $libraries -lm -lpthread -fuse-ld=lld -o "$folder/harness"
"$clang" -std=c17 -g -O1 -fsanitize=thread -Wall -Wextra -Werror -ISources/CRocKernels/include \
  Sources/CRocKernels/*.c Tests/Sanitize/team.c -lm -lpthread -fuse-ld=lld \
  -L"$runtime" -Wl,-rpath,"$runtime" -ldispatch -lBlocksRuntime -o "$folder/team"
TSAN_OPTIONS=halt_on_error=1 "$folder/team"
export ASAN_OPTIONS=detect_leaks=1 UBSAN_OPTIONS=print_stacktrace=1
"$folder/harness" Tests/Fixtures/reference/images/*.*
for mistake in overflow:heap-buffer-overflow 'shift:shift exponent'; do
  if "$folder/harness" --plant "${mistake%%:*}" > "$folder/planted.log" 2>&1; then
    echo "sanitize: a planted ${mistake%%:*} was not caught" >&2
    exit 1
  fi
  grep -q "${mistake#*:}" "$folder/planted.log"
done
echo "sanitize: the C code passes, planted mistakes are caught"
