// AVX-512 with VNNI and BF16 (since Cooper Lake, Zen 4): vdpbf16ps adds two products per lane.
#if defined(__x86_64__)
#include <immintrin.h>
#pragma clang attribute push( \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx512bf16,fma"))), \
    apply_to = function)
#define ROC_LANES 16
#define ROC_ROWS 6
#define ROC_VECTORS 4
#define ROC_BLOCK 32768
#define ROC_DOT_INT8(sum, w, x) \
  ((vi)_mm512_dpbusd_epi32((__m512i)(sum), (__m512i)(x), (__m512i)(w)))
#define ROC_DOT_BF16(sum, w, x) \
  ((vf)_mm512_dpbf16_ps((__m512)(sum), (__m512bh)(w), (__m512bh)(x)))
#define ROC_SET roc_kernels_avx512bf16
#define ROC_SET_NAME "avx512bf16"
#include "kernels.inc"
#pragma clang attribute pop
#else
typedef int roc_no_avx512bf16;
#endif
