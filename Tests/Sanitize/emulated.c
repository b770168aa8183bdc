// The tiles of avx512bf16.c on any CPU: 16 lanes as plain vectors, and its two instructions
// written out in C. It shows that layouts, prepared rows and corrections of that set are right
// where the instructions cannot run.
#include <stdint.h>
#include <string.h>

// Vectors are passed between functions of this file alone.
#pragma clang diagnostic ignored "-Wpsabi"

typedef int32_t words __attribute__((vector_size(64), aligned(4), may_alias));
typedef float floats __attribute__((vector_size(64), aligned(4), may_alias));

// vpdpbusd: x holds unsigned bytes, w signed ones.
static words dot_int8(words sum, words w, words x) {
  uint8_t unsigned_bytes[64];
  int8_t signed_bytes[64];
  memcpy(unsigned_bytes, &x, 64);
  memcpy(signed_bytes, &w, 64);
  for (int lane = 0; lane < 16; lane++)
    for (int i = 4 * lane; i < 4 * lane + 4; i++) sum[lane] += unsigned_bytes[i] * signed_bytes[i];
  return sum;
}

// vdpbf16ps: the high halves first, each product and sum rounded.
static floats dot_bf16(floats sum, words w, words x) {
  for (int half = 1; half >= 0; half--)
    for (int lane = 0; lane < 16; lane++) {
      const uint32_t bits[2] = {(uint32_t)w[lane], (uint32_t)x[lane]};
      float factors[2];
      for (int f = 0; f < 2; f++) {
        const uint32_t wide = half ? bits[f] & 0xffff0000u : bits[f] << 16;
        memcpy(&factors[f], &wide, 4);
      }
      sum[lane] += factors[0] * factors[1];
    }
  return sum;
}

#define ROC_LANES 16
#define ROC_ROWS 6
#define ROC_VECTORS 4
#define ROC_BLOCK 32768
#define ROC_DOT_INT8(sum, w, x) dot_int8(sum, w, x)
#define ROC_DOT_BF16(sum, w, x) dot_bf16(sum, w, x)
#define ROC_SET roc_kernels_emulated
#define ROC_SET_NAME "emulated"
#include "../../Sources/CRocKernels/kernels.inc"
