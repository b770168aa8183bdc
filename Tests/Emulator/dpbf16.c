// vdpbf16ps for a processor that lacks it: decoded and carried out when it faults.
//
// EVEX.512.F3.0F38.W0 52 /r (Intel, Architecture Instruction Set Extensions): for each lane of
// 32 bits, the high halves are multiplied and added first, then the low ones, each rounded to
// nearest, subnormal numbers taken as zero.
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

static uint64_t reg(const interrupted *at, int number) {
  return number == 4 ? at->rsp : at->r[15 - number];
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
  // Opcode map 2, prefix F3, W0, 512 bits, no mask.
  if (code[0] != 0x62 || (p0 & 0x0f) != 2 || (p1 & 0x87) != 0x06 || (p2 & 0x60) != 0x40 ||
      (p2 & 0x87) != 0 || code[4] != 0x52)
    refuse(at);
  const int broadcast = p2 >> 4 & 1;
  const int target = (modrm >> 3 & 7) | (p0 & 0x80 ? 0 : 8) | (p0 & 0x10 ? 0 : 16);
  const int first = (~p1 >> 3 & 15) | (p2 & 8 ? 0 : 16);
  const int b = p0 & 0x20 ? 0 : 8, x = p0 & 0x40 ? 0 : 8;
  unsigned char second[64];
  size_t length = 6;
  if (modrm >> 6 == 3) {
    memcpy(second, vectors[(modrm & 7) | b | (x ? 16 : 0)], 64);
  } else {
    const int mode = modrm >> 6;
    uint64_t address = 0;
    int has_base = 1;
    if ((modrm & 7) == 4) {
      const unsigned char sib = code[length++];
      const int index = (sib >> 3 & 7) | x;
      if (index != 4) address += reg(at, index) << (sib >> 6);
      if ((sib & 7) == 5 && mode == 0) has_base = 0;
      else address += reg(at, (sib & 7) | b);
    } else if ((modrm & 7) == 5 && mode == 0) {
      int32_t offset;
      memcpy(&offset, code + length, 4);
      address = at->rip + length + 4 + (uint64_t)(int64_t)offset;
      length += 4;
    } else {
      address = reg(at, (modrm & 7) | b);
    }
    if (mode == 1) {
      address += (uint64_t)((int64_t)(int8_t)code[length++] * (broadcast ? 4 : 64));
    } else if (mode == 2 || !has_base) {
      int32_t offset;
      memcpy(&offset, code + length, 4);
      address += (uint64_t)(int64_t)offset;
      length += 4;
    }
    if (broadcast)
      for (int lane = 0; lane < 16; lane++) memcpy(second + 4 * lane, (void *)address, 4);
    else memcpy(second, (void *)address, 64);
  }
  float sums[16];
  uint32_t a[16], c[16];
  memcpy(sums, vectors[target], 64), memcpy(a, vectors[first], 64), memcpy(c, second, 64);
  for (int high = 1; high >= 0; high--)
    for (int lane = 0; lane < 16; lane++)
      sums[lane] += half_of(a[lane], high) * half_of(c[lane], high);
  memcpy(vectors[target], sums, 64);
  at->rip += length;
  emulated_instructions++;
}
