// x86 with AVX2 and FMA: 6 x 16 tiles keep 12 of 16 registers as sums.
#if defined(__x86_64__)
#include <immintrin.h>
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#define ROC_LANES 8
#define ROC_ROWS 6
#define ROC_VECTORS 2
#define ROC_BLOCK 16384
#define ROC_MADD_INT16(a, b) ((vi)_mm256_madd_epi16((__m256i)(a), (__m256i)(b)))
#define ROC_SET roc_kernels_avx2
#define ROC_SET_NAME "avx2"
#include "kernels.inc"
#pragma clang attribute pop
#else
typedef int roc_no_avx2;
#endif
