// AVX-512 with VNNI (since Cascade Lake, Zen 4): vpdpbusd adds four products of bytes per lane.
#if defined(__x86_64__)
#include <immintrin.h>
#pragma clang attribute push( \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,fma"))), \
    apply_to = function)
#define ROC_LANES 16
#define ROC_ROWS 6
#define ROC_VECTORS 4
#define ROC_BLOCK 32768
#define ROC_DOT_INT8(sum, w, x) \
  ((vi)_mm512_dpbusd_epi32((__m512i)(sum), (__m512i)(x), (__m512i)(w)))
#define ROC_SET roc_kernels_avx512vnni
#define ROC_SET_NAME "avx512vnni"
#include "kernels.inc"
#pragma clang attribute pop
#else
typedef int roc_no_avx512vnni;
#endif
