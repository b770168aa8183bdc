// Widening half precision and laying weights out in panels.
#include <string.h>

#include "CRocKernels.h"

static float from_bits(uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

static float from_f16(uint16_t half) {
  const uint32_t sign = (uint32_t)(half & 0x8000u) << 16;
  const uint32_t exponent = (half >> 10) & 31u, fraction = half & 0x3ffu;
  if (exponent == 31) return from_bits(sign | 0x7f800000u | (fraction << 13));
  if (exponent) return from_bits(sign | ((exponent + 112) << 23) | (fraction << 13));
  // Subnormal: fraction x 2^-24 is exact in float32.
  const float magnitude = (float)fraction * 0x1p-24f;
  return sign ? -magnitude : magnitude;
}

// Sources may lie at any byte of a mapped file.
static float element(const char *source, roc_dtype dtype, size_t i) {
  if (dtype == ROC_F32) {
    float value;
    memcpy(&value, source + 4 * i, 4);
    return value;
  }
  uint16_t half;
  memcpy(&half, source + 2 * i, 2);
  return dtype == ROC_F16 ? from_f16(half) : from_bits((uint32_t)half << 16);
}

void roc_widen(const void *source, roc_dtype dtype, size_t count, float *destination) {
  if (dtype == ROC_F32)
    memcpy(destination, source, count * sizeof(float));
  else
    for (size_t i = 0; i < count; i++) destination[i] = element(source, dtype, i);
}

size_t roc_packed_count(size_t n, size_t k) {
  return (n + ROC_PANEL - 1) / ROC_PANEL * ROC_PANEL * k;
}

typedef struct {
  const char *weights;
  roc_dtype dtype;
  size_t n, k;
  float *packed;
} packing;

static void pack_panel(void *context, size_t panel, size_t worker) {
  (void)worker;
  const packing *job = context;
  float *out = job->packed + panel * ROC_PANEL * job->k;
  for (size_t j = 0; j < ROC_PANEL; j++) {
    const size_t row = panel * ROC_PANEL + j;
    for (size_t p = 0; p < job->k; p++)
      out[p * ROC_PANEL + j] =
          row < job->n ? element(job->weights, job->dtype, row * job->k + p) : 0.0f;
  }
}

void roc_pack(roc_team *team, const void *weights, roc_dtype dtype, size_t n, size_t k,
              float *packed) {
  packing job = {weights, dtype, n, k, packed};
  roc_team_run(team, (n + ROC_PANEL - 1) / ROC_PANEL, pack_panel, &job);
}
