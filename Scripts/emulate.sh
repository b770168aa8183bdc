#!/usr/bin/env bash
# Runs the AVX-512 kernels on any machine: Bochs emulates a processor of Intel's Ice Lake
# generation (AVX-512 with VNNI), and the checks of Tests/Sanitize run on it without an operating
# system. vdpbf16ps, which it lacks, is carried out by Tests/Emulator/dpbf16.c. About two minutes.
#
# usage: emulate.sh [FOLDER [if-needed]]    if-needed: not where the CPU has all instructions
set -euo pipefail
cd "$(dirname "$0")/.."
folder=$(realpath -m "${1:-.build-emulator}")
if [ "$(uname -m)" != x86_64 ]; then
  echo "emulate: skipped, this build has no AVX-512 kernels"
  exit 0
fi
if [ "${2:-}" = if-needed ] && grep -qw avx512_bf16 /proc/cpuinfo; then
  echo "emulate: not needed, this CPU runs every set itself"
  exit 0
fi
Scripts/setup.sh emulator
clang=$(dirname "$(readlink -f "$(command -v swiftc)")")/clang
mkdir -p "$folder/iso/boot/grub"
# As the Swift package manager compiles them, but for the red zone, which interrupts would use.
flags=(-std=c17 -O2 -fPIC -fno-omit-frame-pointer -mno-red-zone -fno-stack-protector
  -U_FORTIFY_SOURCE -ftls-model=local-exec -fno-builtin-printf -fno-builtin-fprintf
  -Wall -Wextra -Werror -ISources/CRocKernels/include)
sources=(Sources/CRocKernels/*.c Tests/Sanitize/kernels.c Tests/Emulator/*.c Tests/Emulator/boot.S)
objects=()
for source in "${sources[@]}"; do
  # Opens a library of the system, which there is none of.
  if [ "$(basename "$source")" = openblas.c ]; then continue; fi
  objects+=("$folder/$(basename "$source").o")
  "$clang" "${flags[@]}" -c "$source" -o "${objects[-1]}"
done
"$clang" -static -nostdlib -fuse-ld=lld -Wl,-T,Tests/Emulator/link.ld \
  -Wl,--no-dynamic-linker,-z,norelro "${objects[@]}" -lgcc -o "$folder/iso/boot/checks"
cat > "$folder/iso/boot/grub/grub.cfg" <<'END'
set timeout=0
terminal_output console
menuentry checks { multiboot /boot/checks }
END
grub-mkrescue -o "$folder/checks.iso" "$folder/iso" > "$folder/grub.log" 2>&1 || {
  cat "$folder/grub.log" >&2
  exit 1
}
cat > "$folder/bochsrc" <<END
cpu: model=corei7_icelake_u, ips=100000000, reset_on_triple_fault=0
memory: guest=2048, host=2048
romimage: file=/usr/share/bochs/BIOS-bochs-latest
vgaromimage: file=/usr/share/bochs/VGABIOS-lgpl-latest
ata0-master: type=cdrom, path=$folder/checks.iso, status=inserted
boot: cdrom
com1: enabled=1, mode=file, dev=$folder/serial.txt
display_library: term
clock: sync=none
log: $folder/bochs.log
END
rm -f "$folder/serial.txt"
echo c > "$folder/commands"
TERM=vt100 timeout 900 script -qfc "bochs -q -f '$folder/bochsrc' -rc '$folder/commands'" \
  "$folder/screen.log" < /dev/null > /dev/null 2>&1 || true
if ! grep -q '^emulator: passed' "$folder/serial.txt" 2> /dev/null; then
  if [ -s "$folder/serial.txt" ]; then
    cat "$folder/serial.txt" >&2
  else
    tail "$folder/bochs.log" "$folder/screen.log" >&2 || true
  fi
  echo "emulate: the checks did not pass; $folder holds the logs" >&2
  exit 1
fi
cat "$folder/serial.txt"
