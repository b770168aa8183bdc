#include "CPeak.h"

#define ACCUMULATORS 24

#define DEFINE(name, lanes)                                                                   \
  typedef float name##_v __attribute__((vector_size(4 * lanes), aligned(4)));                 \
  static double name##_flops(size_t rounds) {                                                 \
    name##_v sums[ACCUMULATORS];                                                              \
    name##_v x = {0}, y = {0};                                                                \
    x += 0.5f, y += 0.25f;                                                                    \
    for (int i = 0; i < ACCUMULATORS; i++) sums[i] = x * (float)i;                            \
    for (size_t r = 0; r < rounds; r++)                                                       \
      for (int i = 0; i < ACCUMULATORS; i++) sums[i] = sums[i] * x + y;                       \
    volatile float keep = 0;                                                                  \
    for (int i = 0; i < ACCUMULATORS; i++) keep += sums[i][0];                                \
    return 2.0 * lanes * ACCUMULATORS * (double)rounds;                                       \
  }                                                                                           \
  static float name##_read(const float *values, size_t count) {                               \
    name##_v sums[8] = {{0}};                                                                 \
    for (size_t i = 0; i + 8 * lanes <= count; i += 8 * lanes)                                \
      for (int j = 0; j < 8; j++) sums[j] += *(const name##_v *)(values + i + j * lanes);     \
    float total = 0;                                                                          \
    for (int j = 0; j < 8; j++)                                                               \
      for (int k = 0; k < lanes; k++) total += sums[j][k];                                    \
    return total;                                                                             \
  }

DEFINE(portable, 4)
#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
DEFINE(avx2, 8)
#pragma clang attribute pop
#pragma clang attribute push(__attribute__((target("avx512f,fma"))), apply_to = function)
DEFINE(avx512, 16)
#pragma clang attribute pop
#endif

double peak_flops(size_t rounds) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f")) return avx512_flops(rounds);
  if (__builtin_cpu_supports("avx2")) return avx2_flops(rounds);
#endif
  return portable_flops(rounds);
}

float peak_read(const float *values, size_t count) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f")) return avx512_read(values, count);
  if (__builtin_cpu_supports("avx2")) return avx2_read(values, count);
#endif
  return portable_read(values, count);
}
