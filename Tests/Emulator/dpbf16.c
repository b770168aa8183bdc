// vdpbf16ps for a processor that lacks it: decoded and carried out when it faults.
//
// EVEX.512.F3.0F38.W0 52 /r (Intel, Architecture Instruction Set Extensions): for each lane of
// 32 bits, the high halves are multiplied and added first, then the low ones, each rounded to
// nearest, subnormal factors taken as zero (sums here are never that small). Only the form with three registers, which is all that
// the compiler makes of the kernels; any other ends the run.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// As pushed by invalid_opcode: r15 first.
typedef struct {
  uint64_t r[16];  // r15 ... rax
  uint64_t rip, cs, flags, rsp, ss;
} interrupted;

unsigned char vectors[32][64] __attribute__((aligned(64)));
unsigned long emulated_instructions;

static _Noreturn void refuse(const interrupted *at) {
  const unsigned char *code = (const unsigned char *)at->rip;
  printf("an instruction nobody knows at %x:", (unsigned long)at->rip);
  for (int i = 0; i < 12; i++) printf(" %x", (unsigned long)code[i]);
  printf("\n");
  exit(1);
}

static float half_of(uint32_t word, int high) {
  const uint32_t bits = high ? word & 0xffff0000u : word << 16;
  float value;
  memcpy(&value, &bits, 4);
  return (bits & 0x7f800000u) == 0 ? 0 : value;
}

void emulate(interrupted *at) {
  const unsigned char *code = (const unsigned char *)at->rip;
  const unsigned char p0 = code[1], p1 = code[2], p2 = code[3], modrm = code[5];
  // Opcode map 2, prefix F3, W0, 512 bits, neither mask nor broadcast; three registers.
  if (code[0] != 0x62 || (p0 & 0x0f) != 2 || (p1 & 0x87) != 0x06 || (p2 & 0xf7) != 0x40 ||
      code[4] != 0x52 || modrm >> 6 != 3)
    refuse(at);
  const int target = (modrm >> 3 & 7) | (p0 & 0x80 ? 0 : 8) | (p0 & 0x10 ? 0 : 16);
  const int first = (~p1 >> 3 & 15) | (p2 & 8 ? 0 : 16);
  const int second = (modrm & 7) | (p0 & 0x20 ? 0 : 8) | (p0 & 0x40 ? 0 : 16);
  float sums[16];
  uint32_t a[16], c[16];
  memcpy(sums, vectors[target], 64), memcpy(a, vectors[first], 64), memcpy(c, vectors[second], 64);
  for (int high = 1; high >= 0; high--)
    for (int lane = 0; lane < 16; lane++)
      sums[lane] += half_of(a[lane], high) * half_of(c[lane], high);
  memcpy(vectors[target], sums, 64);
  at->rip += 6;
  emulated_instructions++;
}
