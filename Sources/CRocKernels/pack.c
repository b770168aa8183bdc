// Widening and rounding number formats, and laying weights out in panels.
#include <math.h>
#include <string.h>

#include "CRocKernels.h"

static size_t at_most(size_t x, size_t limit) { return x < limit ? x : limit; }

static float from_bits(uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

static uint32_t to_bits(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
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

static uint16_t to_f16(float value) {
  const uint32_t bits = to_bits(value), sign = bits >> 16 & 0x8000u, rest = bits & 0x7fffffffu;
  if (rest > 0x7f800000u) return (uint16_t)(sign | 0x7e00u);
  if (rest >= 0x477ff000u) return (uint16_t)(sign | 0x7c00u);  // 65520 and more round up to infinity
  if (rest < 0x38800000u) {
    // Subnormal: adding 0.5 leaves a multiple of 2^-24 in the low bits, rounded to even.
    return (uint16_t)(sign | (to_bits(from_bits(rest) + 0.5f) - to_bits(0.5f)));
  }
  return (uint16_t)(sign | ((rest - 0x38000000u + 0xfffu + (rest >> 13 & 1)) >> 13));
}

static uint16_t to_bf16(float value) {
  const uint32_t bits = to_bits(value);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return (uint16_t)(bits >> 16 | 0x40u);
  return (uint16_t)((bits + 0x7fffu + (bits >> 16 & 1)) >> 16);
}

static size_t size_of(roc_dtype dtype) {
  return dtype == ROC_F32 ? 4 : dtype == ROC_INT8 ? 1 : 2;
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
  const char *bytes = source;
  switch (dtype) {
    case ROC_F32: memcpy(destination, source, count * sizeof(float)); break;
    case ROC_F16:
      for (size_t i = 0; i < count; i++) destination[i] = element(bytes, ROC_F16, i);
      break;
    default:
      for (size_t i = 0; i < count; i++) destination[i] = element(bytes, ROC_BF16, i);
  }
}

void roc_narrow(const float *source, roc_dtype dtype, size_t count, void *destination) {
  if (dtype == ROC_F32) {
    memcpy(destination, source, count * sizeof(float));
    return;
  }
  char *bytes = destination;
  for (size_t i = 0; i < count; i++) {
    const uint16_t half = dtype == ROC_F16 ? to_f16(source[i]) : to_bf16(source[i]);
    memcpy(bytes + 2 * i, &half, 2);
  }
}

// ---------------------------------------------------------------- finite values

enum { CHECKED = 1 << 16 };

typedef struct {
  const char *source;
  roc_dtype dtype;
  size_t count;
  int finite;
} checking;

static int finite_values(const char *source, roc_dtype dtype, size_t count) {
  uint32_t found = 0;
  if (dtype == ROC_F32) {
    for (size_t i = 0; i < count; i++) {
      uint32_t bits;
      memcpy(&bits, source + 4 * i, 4);
      found |= (bits & 0x7f800000u) == 0x7f800000u;
    }
  } else {
    const uint16_t mask = dtype == ROC_F16 ? 0x7c00u : 0x7f80u;
    for (size_t i = 0; i < count; i++) {
      uint16_t bits;
      memcpy(&bits, source + 2 * i, 2);
      found |= (bits & mask) == mask;
    }
  }
  return !found;
}

static void check_block(void *context, size_t block, size_t worker) {
  (void)worker;
  checking *job = context;
  const size_t first = block * CHECKED;
  if (!finite_values(job->source + first * size_of(job->dtype), job->dtype,
                     at_most(job->count - first, CHECKED)))
    __atomic_store_n(&job->finite, 0, __ATOMIC_RELAXED);
}

int roc_all_finite(roc_team *team, const void *source, roc_dtype dtype, size_t count) {
  checking job = {source, dtype, count, 1};
  roc_team_run(team, (count + CHECKED - 1) / CHECKED, check_block, &job);
  return job.finite;
}

// ---------------------------------------------------------------- panels

size_t roc_panel_bytes(roc_dtype format, size_t k) {
  switch (format) {
    case ROC_BF16: return (k + 1) / 2 * 4 * ROC_PANEL;
    case ROC_INT8: return (k + 3) / 4 * 4 * ROC_PANEL + 2 * 4 * ROC_PANEL;
    default: return k * 4 * ROC_PANEL;
  }
}

size_t roc_packed_bytes(roc_dtype format, size_t n, size_t k) {
  return (n + ROC_PANEL - 1) / ROC_PANEL * roc_panel_bytes(format, k);
}

typedef struct {
  const char *weights;
  roc_dtype dtype, format;
  size_t n, k;
  char *packed;
  int finite;
} packing;

// Inputs that are widened at once: two cache lines of a bf16 row.
enum { STRETCH = 64 };

static void pack_f32(const packing *job, size_t first, size_t rows, char *out) {
  float values[STRETCH];
  for (size_t p = 0; p < job->k; p += STRETCH) {
    const size_t count = at_most(job->k - p, STRETCH);
    for (size_t j = 0; j < rows; j++) {
      roc_widen(job->weights + ((first + j) * job->k + p) * size_of(job->dtype), job->dtype, count,
                values);
      for (size_t i = 0; i < count; i++)
        memcpy(out + ((p + i) * ROC_PANEL + j) * 4, &values[i], 4);
    }
  }
}

static void pack_bf16(const packing *job, size_t first, size_t rows, char *out) {
  float values[STRETCH];
  uint16_t halves[STRETCH];
  for (size_t p = 0; p < job->k; p += STRETCH) {
    const size_t count = at_most(job->k - p, STRETCH);
    for (size_t j = 0; j < rows; j++) {
      const char *source = job->weights + ((first + j) * job->k + p) * size_of(job->dtype);
      if (job->dtype == ROC_BF16) {
        memcpy(halves, source, 2 * count);
      } else {
        roc_widen(source, job->dtype, count, values);
        for (size_t i = 0; i < count; i++) halves[i] = to_bf16(values[i]);
      }
      if (count % 2) halves[count] = 0;
      for (size_t i = 0; i < count; i += 2)
        memcpy(out + ((p + i) / 2 * ROC_PANEL + j) * 4, &halves[i], 4);
    }
  }
}

static void pack_int8(const packing *job, size_t first, size_t rows, char *out) {
  const size_t groups = (job->k + 3) / 4;
  float values[STRETCH];
  float *scales = (float *)(out + groups * 4 * ROC_PANEL);
  int32_t *offsets = (int32_t *)(scales + ROC_PANEL);
  for (size_t j = 0; j < rows; j++) {
    const char *row = job->weights + (first + j) * job->k * size_of(job->dtype);
    float largest = 0;
    for (size_t p = 0; p < job->k; p += STRETCH) {
      const size_t count = at_most(job->k - p, STRETCH);
      roc_widen(row + p * size_of(job->dtype), job->dtype, count, values);
      for (size_t i = 0; i < count; i++) largest = fmaxf(largest, fabsf(values[i]));
    }
    const float scale = largest / 127.0f;
    const float inverse = scale >= 1e-35f ? 1.0f / scale : 0.0f;
    int32_t sum = 0;
    for (size_t p = 0; p < job->k; p += STRETCH) {
      const size_t count = at_most(job->k - p, STRETCH);
      roc_widen(row + p * size_of(job->dtype), job->dtype, count, values);
      for (size_t i = 0; i < count; i++) {
        const int32_t q = (int32_t)rintf(fmaxf(-127.0f, fminf(127.0f, values[i] * inverse)));
        sum += q;
        out[((p + i) / 4 * ROC_PANEL + j) * 4 + (p + i) % 4] = (char)q;
      }
    }
    scales[j] = scale;
    offsets[j] = -128 * sum;
  }
}

static void pack_panel(void *context, size_t panel, size_t worker) {
  (void)worker;
  packing *job = context;
  const size_t bytes = roc_panel_bytes(job->format, job->k), first = panel * ROC_PANEL;
  const size_t rows = at_most(job->n - first, ROC_PANEL);
  char *out = job->packed + panel * bytes;
  if (!finite_values(job->weights + first * job->k * size_of(job->dtype), job->dtype,
                     rows * job->k)) {
    __atomic_store_n(&job->finite, 0, __ATOMIC_RELAXED);
    return;
  }
  // Only incomplete panels and the last group of 8-bit inputs have gaps.
  if (rows < ROC_PANEL) memset(out, 0, bytes);
  else if (job->format == ROC_INT8 && job->k % 4)
    memset(out + job->k / 4 * 4 * ROC_PANEL, 0, 4 * ROC_PANEL);
  switch (job->format) {
    case ROC_BF16: pack_bf16(job, first, rows, out); break;
    case ROC_INT8: pack_int8(job, first, rows, out); break;
    default: pack_f32(job, first, rows, out);
  }
}

int roc_pack(roc_team *team, const void *weights, roc_dtype dtype, size_t n, size_t k,
             roc_dtype format, void *packed) {
  packing job = {weights, dtype, format, n, k, packed, 1};
  roc_team_run(team, (n + ROC_PANEL - 1) / ROC_PANEL, pack_panel, &job);
  return job.finite;
}
