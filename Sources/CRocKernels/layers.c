// Products and attention over a team: which tile computes what. The arithmetic is the kernels'.
#include <string.h>

#include "CRocKernels.h"

static size_t panels_of(size_t n) { return (n + ROC_PANEL - 1) / ROC_PANEL; }
static size_t at_most(size_t x, size_t limit) { return x < limit ? x : limit; }

// ---------------------------------------------------------------- linear

// Rows a tile takes: small enough that a product with one panel still feeds two threads.
enum { TILE_ROWS = 192 };

typedef struct {
  const roc_kernels *kernels;
  const float *a, *packed, *bias;
  float *c;
  size_t lda, ldc, m, n, k, row_tiles;
} product;

static void product_tile(void *context, size_t tile, size_t worker) {
  (void)worker;
  const product *job = context;
  const size_t panel = tile / job->row_tiles, row = tile % job->row_tiles * TILE_ROWS;
  const size_t column = panel * ROC_PANEL;
  job->kernels->gemm_panel(job->a + row * job->lda, job->lda, at_most(job->m - row, TILE_ROWS),
                           job->packed + column * job->k, at_most(job->n - column, ROC_PANEL),
                           job->k, job->bias ? job->bias + column : NULL,
                           job->c + row * job->ldc + column, job->ldc);
}

void roc_linear(roc_team *team, const roc_kernels *kernels, const float *a, size_t lda, size_t m,
                const float *packed, size_t n, size_t k, const float *bias, float *c, size_t ldc) {
  const size_t row_tiles = (m + TILE_ROWS - 1) / TILE_ROWS;
  product job = {kernels, a, packed, bias, c, lda, ldc, m, n, k, row_tiles};
  roc_team_run(team, panels_of(n) * row_tiles, product_tile, &job);
}

// ---------------------------------------------------------------- attention

// Queries that share one block of scores: 32 x 1,025 floats are 131 KiB, which fit in L2.
enum { QUERY_ROWS = 32 };

static size_t padded(size_t n) { return panels_of(n) * ROC_PANEL; }

size_t roc_attention_scratch(const roc_attention *shape) {
  const size_t keys = padded(shape->keys);
  return keys * shape->width                      // keys, packed as weights of a product
         + shape->keys * padded(shape->width)     // values, packed likewise
         + QUERY_ROWS * keys;                     // scores
}

typedef struct {
  const roc_kernels *kernels;
  const roc_attention *shape;
  float *scratch;
  size_t scratch_size;
} attention_job;

static void pack_head(const roc_attention *s, size_t head, float *keys, float *values) {
  const float *k = s->key + head * s->key_head, *v = s->value + head * s->value_head;
  for (size_t first = 0; first < s->keys; first += ROC_PANEL) {
    float *panel = keys + first * s->width;
    for (size_t p = 0; p < s->width; p++)
      for (size_t j = 0; j < ROC_PANEL; j++)
        panel[p * ROC_PANEL + j] =
            first + j < s->keys ? k[(first + j) * s->key_stride + p] : 0.0f;
  }
  for (size_t first = 0; first < s->width; first += ROC_PANEL) {
    const size_t columns = at_most(s->width - first, ROC_PANEL);
    float *panel = values + first * s->keys;
    for (size_t i = 0; i < s->keys; i++) {
      memcpy(panel + i * ROC_PANEL, v + i * s->value_stride + first, columns * sizeof(float));
      memset(panel + i * ROC_PANEL + columns, 0, (ROC_PANEL - columns) * sizeof(float));
    }
  }
}

// One key head and all query heads that share it.
static void attention_tile(void *context, size_t head, size_t worker) {
  const attention_job *job = context;
  const roc_attention *s = job->shape;
  const size_t stride = padded(s->keys);
  float *keys = job->scratch + worker * job->scratch_size;
  float *values = keys + stride * s->width, *scores = values + s->keys * padded(s->width);
  pack_head(s, head, keys, values);
  for (size_t member = 0; member < s->group; member++) {
    const size_t query_head = head * s->group + member;
    const float *q = s->query + query_head * s->query_head;
    float *out = s->output + query_head * s->width;
    for (size_t row = 0; row < s->queries; row += QUERY_ROWS) {
      const size_t rows = at_most(s->queries - row, QUERY_ROWS);
      const size_t seen =
          s->first_visible ? at_most(s->first_visible + row + rows - 1, s->keys) : s->keys;
      for (size_t first = 0; first < seen; first += ROC_PANEL)
        job->kernels->gemm_panel(q + row * s->query_stride, s->query_stride, rows,
                                 keys + first * s->width, ROC_PANEL, s->width, NULL,
                                 scores + first, stride);
      for (size_t i = 0; i < rows; i++) {
        const size_t visible = s->first_visible ? s->first_visible + row + i : s->keys;
        job->kernels->softmax(scores + i * stride, visible, s->scale);
        // Adding zeros leaves the sums of the shorter rows of this block as they are.
        memset(scores + i * stride + visible, 0, (seen - visible) * sizeof(float));
      }
      for (size_t first = 0; first < s->width; first += ROC_PANEL)
        job->kernels->gemm_panel(scores, stride, rows, values + first * s->keys,
                                 at_most(s->width - first, ROC_PANEL), seen, NULL,
                                 out + row * s->output_stride + first, s->output_stride);
    }
  }
}

void roc_attend(roc_team *team, const roc_kernels *kernels, const roc_attention *shape,
                float *scratch) {
  attention_job job = {kernels, shape, scratch, roc_attention_scratch(shape)};
  roc_team_run(team, shape->heads / shape->group, attention_tile, &job);
}

// ---------------------------------------------------------------- rotary positions

void roc_rotate(float *x, size_t stride, size_t m, size_t heads, size_t width,
                const float *cosine, const float *sine) {
  const size_t half = width / 2;
  for (size_t row = 0; row < m; row++) {
    const float *c = cosine + row * half, *s = sine + row * half;
    for (size_t head = 0; head < heads; head++) {
      float *pair = x + row * stride + head * width;
      for (size_t i = 0; i < half; i++) {
        const float a = pair[i], b = pair[i + half];
        pair[i] = a * c[i] - b * s[i];
        pair[i + half] = b * c[i] + a * s[i];
      }
    }
  }
}
