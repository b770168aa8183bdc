// x86 with AVX-512: 6 x 64 tiles keep 24 of 32 registers as sums.
#if defined(__x86_64__)
#include <immintrin.h>
#pragma clang attribute push( \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,fma"))), apply_to = function)
#define ROC_LANES 16
#define ROC_ROWS 6
#define ROC_VECTORS 4
#define ROC_BLOCK 32768
#define ROC_MADD_INT16(a, b) ((vi)_mm512_madd_epi16((__m512i)(a), (__m512i)(b)))
#define ROC_SET roc_kernels_avx512
#define ROC_SET_NAME "avx512"
#include "kernels.inc"
#pragma clang attribute pop
#else
typedef int roc_no_avx512;
#endif
