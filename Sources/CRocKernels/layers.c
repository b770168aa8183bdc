// Products and attention over a team: which tile computes what. The arithmetic is the kernels'.
#include "internal.h"

// ---------------------------------------------------------------- linear

typedef struct {
  const roc_kernels *kernels;
  const roc_product *product;
  const char *rows;       // prepared
  size_t row_stride, row_tiles, panel_bytes;
  char *scratch;
} product_job;

// Rows that one worker prepares at a time.
enum { PREPARED = 4 };

static void prepare_tile(void *context, size_t tile, size_t worker) {
  (void)worker;
  const product_job *job = context;
  const roc_product *p = job->product;
  const size_t end = at_most((tile + 1) * PREPARED, p->m);
  for (size_t row = tile * PREPARED; row < end; row++)
    job->kernels->prepare_row(p->format, p->a + row * p->lda, p->k,
                              job->scratch + row * job->row_stride);
}

static void product_tile(void *context, size_t tile, size_t worker) {
  (void)worker;
  const product_job *job = context;
  const roc_product *p = job->product;
  const size_t panel = tile / job->row_tiles, row = tile % job->row_tiles * ROC_TILE_ROWS;
  const size_t column = panel * ROC_PANEL;
  const roc_panel_job part = {
      .format = p->format,
      .rows = job->rows + row * job->row_stride,
      .row_stride = job->row_stride,
      .m = at_most(p->m - row, ROC_TILE_ROWS),
      .panel = (const char *)p->packed + panel * job->panel_bytes,
      .columns = at_most(p->n - column, ROC_PANEL),
      .k = p->k,
      .bias = p->bias ? p->bias + column : NULL,
      .finish = p->finish,
      .c = p->c + row * p->ldc + column,
      .ldc = p->ldc,
  };
  job->kernels->panel(&part);
}

size_t roc_product_scratch(const roc_kernels *kernels, roc_dtype format, size_t m, size_t k) {
  return format == ROC_F32 ? 0 : m * kernels->row_bytes(format, k);
}

void roc_linear(roc_team *team, const roc_kernels *kernels, const roc_product *p, void *scratch) {
  product_job job = {
      .kernels = kernels,
      .product = p,
      .rows = p->format == ROC_F32 ? (const char *)p->a : scratch,
      .row_stride =
          p->format == ROC_F32 ? p->lda * sizeof(float) : kernels->row_bytes(p->format, p->k),
      .row_tiles = (p->m + ROC_TILE_ROWS - 1) / ROC_TILE_ROWS,
      .panel_bytes = roc_panel_bytes(p->format, p->k),
      .scratch = scratch,
  };
  if (p->format != ROC_F32)
    roc_team_run(team, (p->m + PREPARED - 1) / PREPARED, prepare_tile, &job);
  roc_team_run(team, panels_of(p->n) * job.row_tiles, product_tile, &job);
}

// ---------------------------------------------------------------- attention

// Queries that share one block of scores: 32 x 1,025 floats are 131 KiB, which fit in L2.
enum { QUERY_ROWS = 32 };

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
        multiply(job->kernels, q + row * s->query_stride, s->query_stride, rows,
                 keys + first * s->width, ROC_PANEL, s->width, ROC_STORE, scores + first, stride);
      for (size_t i = 0; i < rows; i++) {
        const size_t visible = s->first_visible ? s->first_visible + row + i : s->keys;
        hide_keys(s, scores + i * stride, visible);
        job->kernels->softmax(scores + i * stride, visible, s->scale);
        // Adding zeros leaves the sums of the shorter rows of this block as they are, as long as
        // values are finite; a row that is not ends its picture as not_finite in any case.
        memset(scores + i * stride + visible, 0, (seen - visible) * sizeof(float));
      }
      for (size_t first = 0; first < s->width; first += ROC_PANEL)
        multiply(job->kernels, scores, stride, rows, values + first * s->keys,
                 at_most(s->width - first, ROC_PANEL), seen, ROC_STORE,
                 out + row * s->output_stride + first, s->output_stride);
    }
  }
}

void roc_attend(roc_team *team, const roc_kernels *kernels, const roc_attention *shape,
                float *scratch) {
  attention_job job = {kernels, shape, scratch, roc_attention_scratch(shape)};
  roc_team_run(team, shape->heads / shape->group, attention_tile, &job);
}

// ---------------------------------------------------------------- row by row

// Rows that one worker takes at a time: enough work to be worth a claim.
enum { ROW_BLOCK = 8 };

typedef struct {
  const roc_kernels *kernels;
  const float *x, *weight, *bias;
  float *y;
  float eps;
  size_t m, n, heads;
} row_job;

static void run_rows(roc_team *team, roc_work work, row_job *job) {
  roc_team_run(team, (job->m + ROW_BLOCK - 1) / ROW_BLOCK, work, job);
}

#define ROWS_OF_TILE(job, tile)                                                                  \
  for (size_t row = (tile) * ROW_BLOCK, end = at_most(row + ROW_BLOCK, (job)->m); row < end; row++)

static void layer_norm_tile(void *context, size_t tile, size_t worker) {
  (void)worker;
  const row_job *job = context;
  ROWS_OF_TILE(job, tile)
    job->kernels->layer_norm(job->x + row * job->n, job->weight, job->bias, job->eps, job->n,
                             job->y + row * job->n);
}

void roc_layer_norm_rows(roc_team *team, const roc_kernels *kernels, const float *x, size_t m,
                         size_t n, const float *weight, const float *bias, float eps, float *y) {
  row_job job = {.kernels = kernels, .x = x, .weight = weight, .bias = bias, .y = y, .eps = eps,
                 .m = m, .n = n};
  run_rows(team, layer_norm_tile, &job);
}

static void rms_norm_tile(void *context, size_t tile, size_t worker) {
  (void)worker;
  const row_job *job = context;
  ROWS_OF_TILE(job, tile)
    job->kernels->rms_norm(job->x + row * job->n, job->weight, job->eps, job->n,
                           job->y + row * job->n);
}

void roc_rms_norm_rows(roc_team *team, const roc_kernels *kernels, const float *x, size_t m,
                       size_t n, const float *weight, float eps, float *y) {
  row_job job = {.kernels = kernels, .x = x, .weight = weight, .y = y, .eps = eps, .m = m,
                 .n = n};
  run_rows(team, rms_norm_tile, &job);
}

static void rotate_tile(void *context, size_t tile, size_t worker) {
  (void)worker;
  const row_job *job = context;
  const size_t half = job->n / 2;
  ROWS_OF_TILE(job, tile)
    job->kernels->rotate(job->y + row * job->heads * job->n, job->heads, job->n,
                         job->weight + row * half, job->bias + row * half);
}

void roc_rotate_rows(roc_team *team, const roc_kernels *kernels, float *x, size_t m,
                     size_t heads, size_t width, const float *cosine, const float *sine) {
  row_job job = {.kernels = kernels, .weight = cosine, .bias = sine, .y = x, .m = m, .n = width,
                 .heads = heads};
  run_rows(team, rotate_tile, &job);
}
