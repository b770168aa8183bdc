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

// Makes the scores of hidden keys so low that their weights vanish.
static inline void hide_keys(const roc_attention *s, float *scores, size_t visible) {
  if (!s->hidden) return;
  for (size_t key = 0; key < visible; key++)
    if (s->hidden[key]) scores[key] = -1e30f;
}

// The job's product for any number of rows and columns.
static inline void multiply_all(const roc_kernels *kernels, const roc_panel_job *job) {
  enum { COLUMNS = ROC_TILE_PANELS * ROC_PANEL };
  for (size_t column = 0; column < job->columns; column += COLUMNS)
    for (size_t row = 0; row < job->m; row += ROC_TILE_ROWS) {
      roc_panel_job part = *job;
      part.rows = (const char *)job->rows + row * job->row_stride;
      part.m = at_most(job->m - row, ROC_TILE_ROWS);
      part.panel = (const char *)job->panel + column / ROC_PANEL * job->panel_bytes;
      part.columns = at_most(job->columns - column, COLUMNS);
      part.bias = job->bias ? job->bias + column : NULL;
      part.c = job->c + row * job->ldc + column;
      kernels->panel(&part);
    }
}

// c[m][columns] = or += a[m][k] · panels in float32.
static inline void multiply(const roc_kernels *kernels, const float *a, size_t lda, size_t m,
                            const float *panels, size_t columns, size_t k, roc_finish finish,
                            float *c, size_t ldc) {
  const roc_panel_job job = {.format = ROC_F32, .rows = a, .row_stride = lda * sizeof(float),
                             .m = m, .panel = panels, .panel_bytes = roc_panel_bytes(ROC_F32, k),
                             .columns = columns, .k = k, .finish = finish, .c = c, .ldc = ldc};
  multiply_all(kernels, &job);
}

// The first `columns` of 64 columns of each row, the others 0.
static inline void copy_columns(const float *from, size_t stride, size_t rows, size_t columns,
                                float *to) {
  for (size_t i = 0; i < rows; i++, from += stride, to += ROC_PANEL) {
    memcpy(to, from, columns * sizeof(float));
    memset(to + columns, 0, (ROC_PANEL - columns) * sizeof(float));
  }
}

// Rows [keys][stride] of one head as the panels of a product over its width.
static inline void pack_over_width(const float *rows, size_t stride, size_t keys, size_t width,
                                   float *panels) {
  for (size_t first = 0; first < keys; first += ROC_PANEL) {
    const size_t count = at_most(keys - first, ROC_PANEL);
    float *panel = panels + first * width;
    if (count < ROC_PANEL) memset(panel, 0, width * ROC_PANEL * sizeof(float));
    transpose(rows + first * stride, stride, count, width, panel, ROC_PANEL);
  }
}

// Rows [count][stride] of one head as the panels of a product over the rows.
static inline void pack_over_rows(const float *rows, size_t stride, size_t count, size_t width,
                                  float *panels) {
  for (size_t first = 0; first < width; first += ROC_PANEL)
    copy_columns(rows + first, stride, count, at_most(width - first, ROC_PANEL),
                 panels + first * count);
}

#endif
