// What the files of this module share: sizes of panels, transposition, products of floats.
#ifndef CROCKERNELS_INTERNAL_H
#define CROCKERNELS_INTERNAL_H

#include <string.h>

#include "CRocKernels.h"

static inline size_t panels_of(size_t n) { return (n + ROC_PANEL - 1) / ROC_PANEL; }
static inline size_t padded(size_t n) { return panels_of(n) * ROC_PANEL; }
static inline size_t at_most(size_t x, size_t limit) { return x < limit ? x : limit; }

// ---------------------------------------------------------------- transposition

typedef float quad __attribute__((vector_size(16), aligned(4), may_alias));

// to[j][i] = from[i][j] for i < rows, j < columns.
static inline void transpose(const float *from, size_t from_stride, size_t rows, size_t columns,
                             float *to, size_t to_stride) {
  size_t i = 0;
  for (; i + 4 <= rows; i += 4) {
    const float *source = from + i * from_stride;
    size_t j = 0;
    for (; j + 4 <= columns; j += 4) {
      const quad a = *(const quad *)(source + j), b = *(const quad *)(source + from_stride + j);
      const quad c = *(const quad *)(source + 2 * from_stride + j);
      const quad d = *(const quad *)(source + 3 * from_stride + j);
      const quad ab = __builtin_shufflevector(a, b, 0, 4, 1, 5);
      const quad cd = __builtin_shufflevector(c, d, 0, 4, 1, 5);
      const quad ab2 = __builtin_shufflevector(a, b, 2, 6, 3, 7);
      const quad cd2 = __builtin_shufflevector(c, d, 2, 6, 3, 7);
      float *target = to + j * to_stride + i;
      *(quad *)target = __builtin_shufflevector(ab, cd, 0, 1, 4, 5);
      *(quad *)(target + to_stride) = __builtin_shufflevector(ab, cd, 2, 3, 6, 7);
      *(quad *)(target + 2 * to_stride) = __builtin_shufflevector(ab2, cd2, 0, 1, 4, 5);
      *(quad *)(target + 3 * to_stride) = __builtin_shufflevector(ab2, cd2, 2, 3, 6, 7);
    }
    for (; j < columns; j++)
      for (size_t l = 0; l < 4; l++) to[j * to_stride + i + l] = source[l * from_stride + j];
  }
  for (; i < rows; i++)
    for (size_t j = 0; j < columns; j++) to[j * to_stride + i] = from[i * from_stride + j];
}

// Scores of hidden keys, so low that their weights vanish.
static inline void hide_keys(const roc_attention *s, float *scores, size_t visible) {
  if (!s->hidden) return;
  for (size_t key = 0; key < visible; key++)
    if (s->hidden[key]) scores[key] = -1e30f;
}

// c[m][columns] = or += a[m][k] · panel[k][64] in float32, any number of rows.
static inline void multiply(const roc_kernels *kernels, const float *a, size_t lda, size_t m,
                            const float *panel, size_t columns, size_t k, roc_finish finish,
                            float *c, size_t ldc) {
  for (size_t row = 0; row < m; row += ROC_TILE_ROWS) {
    const roc_panel_job part = {.format = ROC_F32, .rows = a + row * lda,
                                .row_stride = lda * sizeof(float),
                                .m = at_most(m - row, ROC_TILE_ROWS), .panel = panel,
                                .columns = columns, .k = k, .finish = finish,
                                .c = c + row * ldc, .ldc = ldc};
    kernels->panel(&part);
  }
}

// The first `columns` of 64 columns of each row, the others 0.
static inline void copy_columns(const float *from, size_t stride, size_t rows, size_t columns,
                                float *to) {
  for (size_t i = 0; i < rows; i++, from += stride, to += ROC_PANEL) {
    memcpy(to, from, columns * sizeof(float));
    memset(to + columns, 0, (ROC_PANEL - columns) * sizeof(float));
  }
}

#endif
