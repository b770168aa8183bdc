// Derivatives over a team: which tile computes what. The arithmetic is the kernels'.
#include <string.h>

#include "CRocKernels.h"

static size_t panels_of(size_t n) { return (n + ROC_PANEL - 1) / ROC_PANEL; }
static size_t padded(size_t n) { return panels_of(n) * ROC_PANEL; }
static size_t at_most(size_t x, size_t limit) { return x < limit ? x : limit; }

// ---------------------------------------------------------------- transposition

typedef float quad __attribute__((vector_size(16), aligned(4), may_alias));

// to[j][i] = from[i][j] for i < rows, j < columns.
static void transpose(const float *from, size_t from_stride, size_t rows, size_t columns, float *to,
                      size_t to_stride) {
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

// c[m][columns] = or += a[m][k] · panel[k][64] in float32, any number of rows.
static void multiply(const roc_kernels *kernels, const float *a, size_t lda, size_t m,
                     const float *panel, size_t columns, size_t k, roc_finish finish, float *c,
                     size_t ldc) {
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
static void copy_columns(const float *from, size_t stride, size_t rows, size_t columns, float *to) {
  for (size_t i = 0; i < rows; i++, from += stride, to += ROC_PANEL) {
    memcpy(to, from, columns * sizeof(float));
    memset(to + columns, 0, (ROC_PANEL - columns) * sizeof(float));
  }
}

// ---------------------------------------------------------------- gradient of a product's input

// Weights of inputs first..<(first + count) in one panel, widened: values[count][64].
static void widen_panel(roc_dtype format, const char *panel, size_t k, size_t first, size_t count,
                        float *values) {
  if (format == ROC_BF16) {
    for (size_t i = 0; i < count; i++) {
      const char *group = panel + (first + i) / 2 * 4 * ROC_PANEL + (first + i) % 2 * 2;
      for (size_t j = 0; j < ROC_PANEL; j++) {
        uint16_t half;
        memcpy(&half, group + 4 * j, 2);
        const uint32_t bits = (uint32_t)half << 16;
        memcpy(values + i * ROC_PANEL + j, &bits, 4);
      }
    }
    return;
  }
  const float *scales = (const float *)(panel + (k + 3) / 4 * 4 * ROC_PANEL);
  for (size_t i = 0; i < count; i++) {
    const signed char *group =
        (const signed char *)panel + (first + i) / 4 * 4 * ROC_PANEL + (first + i) % 4;
    for (size_t j = 0; j < ROC_PANEL; j++)
      values[i * ROC_PANEL + j] = (float)group[4 * j] * scales[j];
  }
}

typedef struct {
  const roc_kernels *kernels;
  const roc_input_gradient *gradient;
  float *scratch;
  size_t scratch_size;
} input_gradient_job;

size_t roc_input_gradient_scratch(size_t n) {
  return padded(n) * ROC_PANEL + ROC_PANEL * ROC_PANEL;
}

// 64 inputs: their weights turned into a panel over the outputs.
static void input_gradient_tile(void *context, size_t tile, size_t worker) {
  const input_gradient_job *job = context;
  const roc_input_gradient *g = job->gradient;
  const size_t first = tile * ROC_PANEL, count = at_most(g->k - first, ROC_PANEL);
  const size_t bytes = roc_panel_bytes(g->format, g->k);
  float *turned = job->scratch + worker * job->scratch_size;
  float *wide = turned + padded(g->n) * ROC_PANEL;
  for (size_t panel = 0; panel < panels_of(g->n); panel++) {
    const char *source = (const char *)g->packed + panel * bytes;
    float *target = turned + panel * ROC_PANEL * ROC_PANEL;
    if (count < ROC_PANEL) memset(target, 0, ROC_PANEL * ROC_PANEL * sizeof(float));
    if (g->format == ROC_F32) {
      transpose((const float *)source + first * ROC_PANEL, ROC_PANEL, count, ROC_PANEL, target,
                ROC_PANEL);
    } else {
      widen_panel(g->format, source, g->k, first, count, wide);
      transpose(wide, ROC_PANEL, count, ROC_PANEL, target, ROC_PANEL);
    }
  }
  multiply(job->kernels, g->dy, g->ldy, g->m, turned, count, g->n, g->adds ? ROC_ADD : ROC_STORE,
           g->dx + first, g->ldx);
}

void roc_linear_input_gradient(roc_team *team, const roc_kernels *kernels,
                               const roc_input_gradient *gradient, float *scratch) {
  input_gradient_job job = {kernels, gradient, scratch, roc_input_gradient_scratch(gradient->n)};
  roc_team_run(team, panels_of(gradient->k), input_gradient_tile, &job);
}

// ---------------------------------------------------------------- gradient of weights

typedef struct {
  const roc_kernels *kernels;
  const roc_weight_gradient *gradient;
  float *turned;           // x as [K][M]
  float *copies;           // of dy, [M][64] for each worker
  size_t row_tiles;
} weight_gradient_job;

size_t roc_weight_gradient_scratch(size_t threads, size_t m, size_t k) {
  return m * k + threads * m * ROC_PANEL;
}

static void turn_tile(void *context, size_t tile, size_t worker) {
  (void)worker;
  const weight_gradient_job *job = context;
  const roc_weight_gradient *g = job->gradient;
  const size_t first = tile * ROC_PANEL;
  transpose(g->x + first, g->ldx, g->m, at_most(g->k - first, ROC_PANEL),
            job->turned + first * g->m, g->m);
}

static void weight_gradient_tile(void *context, size_t tile, size_t worker) {
  const weight_gradient_job *job = context;
  const roc_weight_gradient *g = job->gradient;
  const size_t panel = tile / job->row_tiles, row = tile % job->row_tiles * ROC_TILE_ROWS;
  const size_t column = panel * ROC_PANEL, columns = at_most(g->n - column, ROC_PANEL);
  float *copy = job->copies + worker * g->m * ROC_PANEL;
  copy_columns(g->dy + column, g->ldy, g->m, columns, copy);
  multiply(job->kernels, job->turned + row * g->m, g->m, at_most(g->k - row, ROC_TILE_ROWS), copy,
           columns, g->m, ROC_ADD, g->panels + (panel * g->k + row) * ROC_PANEL, ROC_PANEL);
}

void roc_linear_weight_gradient(roc_team *team, const roc_kernels *kernels,
                                const roc_weight_gradient *g, float *scratch) {
  weight_gradient_job job = {kernels, g, scratch, scratch + g->m * g->k,
                             (g->k + ROC_TILE_ROWS - 1) / ROC_TILE_ROWS};
  roc_team_run(team, panels_of(g->k), turn_tile, &job);
  roc_team_run(team, panels_of(g->n) * job.row_tiles, weight_gradient_tile, &job);
}

// ---------------------------------------------------------------- gradients of attention

// Queries whose weights are held at once, as in the forward pass.
enum { QUERY_ROWS = 32 };

// What a worker keeps while it goes through a key head.
typedef struct {
  float *keys, *values;        // packed as [width][64 keys]
  float *key_rows;             // packed as [keys][64 of width]
  float *weights, *gradients;  // [32][keys]
  float *turned;               // [keys][32]
  float *rows;                 // 32 rows of queries or of output gradients, [32][64 of width]
} attention_memory;

size_t roc_attention_gradient_scratch(const roc_attention *s) {
  const size_t keys = padded(s->keys), width = padded(s->width);
  return 2 * keys * s->width + s->keys * width + 3 * QUERY_ROWS * keys + QUERY_ROWS * width;
}

static attention_memory memory_of(const roc_attention *s, float *scratch) {
  const size_t keys = padded(s->keys), width = padded(s->width);
  attention_memory m = {.keys = scratch};
  m.values = m.keys + keys * s->width;
  m.key_rows = m.values + keys * s->width;
  m.weights = m.key_rows + s->keys * width;
  m.gradients = m.weights + QUERY_ROWS * keys;
  m.turned = m.gradients + QUERY_ROWS * keys;
  m.rows = m.turned + QUERY_ROWS * keys;
  return m;
}

// Rows [keys][stride] of one head as the panels of a product over its width.
static void pack_over_width(const float *rows, size_t stride, size_t keys, size_t width,
                            float *panels) {
  for (size_t first = 0; first < keys; first += ROC_PANEL) {
    const size_t count = at_most(keys - first, ROC_PANEL);
    float *panel = panels + first * width;
    if (count < ROC_PANEL) memset(panel, 0, width * ROC_PANEL * sizeof(float));
    transpose(rows + first * stride, stride, count, width, panel, ROC_PANEL);
  }
}

// Rows [count][stride] of one head as the panels of a product over the rows.
static void pack_over_rows(const float *rows, size_t stride, size_t count, size_t width,
                           float *panels) {
  for (size_t first = 0; first < width; first += ROC_PANEL)
    copy_columns(rows + first, stride, count, at_most(width - first, ROC_PANEL),
                 panels + first * count);
}

// out[m][width] = or += a[m][k] · the first k of the rows that the panels hold.
static void multiply_width(const roc_kernels *kernels, const float *a, size_t lda, size_t m,
                           const float *panels, size_t rows, size_t width, size_t k,
                           roc_finish finish, float *out, size_t stride) {
  for (size_t first = 0; first < width; first += ROC_PANEL)
    multiply(kernels, a, lda, m, panels + first * rows, at_most(width - first, ROC_PANEL), k,
             finish, out + first, stride);
}

typedef struct {
  const roc_kernels *kernels;
  const roc_attention_gradient *gradient;
  float *scratch;
  size_t scratch_size;
} attention_gradient_job;

// Rows row..<(row + rows) of one query head.
static void attention_gradient_block(const attention_gradient_job *job, attention_memory m,
                                     size_t head, size_t query_head, size_t row, size_t rows) {
  const roc_attention_gradient *g = job->gradient;
  const roc_attention *s = &g->shape;
  const size_t stride = padded(s->keys);
  const size_t seen =
      s->first_visible ? at_most(s->first_visible + row + rows - 1, s->keys) : s->keys;
  const float *q = s->query + query_head * s->query_head + row * s->query_stride;
  const float *out = g->d_output + query_head * s->width + row * s->output_stride;
  for (size_t first = 0; first < seen; first += ROC_PANEL) {
    multiply(job->kernels, q, s->query_stride, rows, m.keys + first * s->width, ROC_PANEL, s->width,
             ROC_STORE, m.weights + first, stride);
    multiply(job->kernels, out, s->output_stride, rows, m.values + first * s->width, ROC_PANEL,
             s->width, ROC_STORE, m.gradients + first, stride);
  }
  for (size_t i = 0; i < rows; i++) {
    const size_t visible = s->first_visible ? s->first_visible + row + i : s->keys;
    float *weights = m.weights + i * stride, *gradients = m.gradients + i * stride;
    for (size_t key = 0; s->hidden && key < visible; key++)
      if (s->hidden[key]) weights[key] = -1e30f;
    job->kernels->softmax(weights, visible, s->scale);
    job->kernels->softmax_gradient(weights, gradients, visible, s->scale);
    memset(weights + visible, 0, (seen - visible) * sizeof(float));
    memset(gradients + visible, 0, (seen - visible) * sizeof(float));
  }
  // Values: weightsᵀ · d_output.
  transpose(m.weights, stride, rows, seen, m.turned, rows);
  pack_over_rows(out, s->output_stride, rows, s->width, m.rows);
  multiply_width(job->kernels, m.turned, rows, seen, m.rows, rows, s->width, rows, ROC_ADD,
                 g->d_value + head * s->value_head, s->value_stride);
  // Queries: gradients · keys.
  multiply_width(job->kernels, m.gradients, stride, rows, m.key_rows, s->keys, s->width, seen,
                 ROC_STORE, g->d_query + query_head * s->query_head + row * s->query_stride,
                 s->query_stride);
  // Keys: gradientsᵀ · queries.
  transpose(m.gradients, stride, rows, seen, m.turned, rows);
  pack_over_rows(q, s->query_stride, rows, s->width, m.rows);
  multiply_width(job->kernels, m.turned, rows, seen, m.rows, rows, s->width, rows, ROC_ADD,
                 g->d_key + head * s->key_head, s->key_stride);
}

// One key head and all query heads that share it.
static void attention_gradient_tile(void *context, size_t head, size_t worker) {
  const attention_gradient_job *job = context;
  const roc_attention *s = &job->gradient->shape;
  const attention_memory m = memory_of(s, job->scratch + worker * job->scratch_size);
  const float *k = s->key + head * s->key_head;
  pack_over_width(k, s->key_stride, s->keys, s->width, m.keys);
  pack_over_width(s->value + head * s->value_head, s->value_stride, s->keys, s->width, m.values);
  for (size_t first = 0; first < s->width; first += ROC_PANEL)
    copy_columns(k + first, s->key_stride, s->keys, at_most(s->width - first, ROC_PANEL),
                 m.key_rows + first * s->keys);
  for (size_t member = 0; member < s->group; member++)
    for (size_t row = 0; row < s->queries; row += QUERY_ROWS)
      attention_gradient_block(job, m, head, head * s->group + member, row,
                               at_most(s->queries - row, QUERY_ROWS));
}

void roc_attend_gradient(roc_team *team, const roc_kernels *kernels,
                         const roc_attention_gradient *gradient, float *scratch) {
  attention_gradient_job job = {kernels, gradient, scratch,
                                roc_attention_gradient_scratch(&gradient->shape)};
  roc_team_run(team, gradient->shape.heads / gradient->shape.group, attention_gradient_tile, &job);
}

// ---------------------------------------------------------------- rows and long runs

enum { ROW_BLOCK = 8, COLUMN_BLOCK = 128, RUN = 1 << 14 };

typedef struct {
  const roc_kernels *kernels;
  const float *x, *dy, *weight;
  float *y, *products;
  float eps;
  int centred;
  size_t m, n;
} gradient_job;

static void norm_gradient_tile(void *context, size_t tile, size_t worker) {
  (void)worker;
  const gradient_job *job = context;
  const size_t n = job->n, end = at_most((tile + 1) * ROW_BLOCK, job->m);
  for (size_t row = tile * ROW_BLOCK; row < end; row++)
    job->kernels->norm_gradient(job->x + row * n, job->weight, job->dy + row * n, job->eps, n,
                                job->centred, job->y + row * n, job->products + row * n);
}

static void columns_tile(void *context, size_t tile, size_t worker) {
  (void)worker;
  const gradient_job *job = context;
  const size_t first = tile * COLUMN_BLOCK;
  job->kernels->add_columns(job->x + first, job->m, job->n, at_most(job->n - first, COLUMN_BLOCK),
                            job->y + first);
}

void roc_add_columns(roc_team *team, const roc_kernels *kernels, const float *x, size_t m, size_t n,
                     float *sums) {
  gradient_job job = {.kernels = kernels, .x = x, .y = sums, .m = m, .n = n};
  roc_team_run(team, (n + COLUMN_BLOCK - 1) / COLUMN_BLOCK, columns_tile, &job);
}

void roc_norm_gradient_rows(roc_team *team, const roc_kernels *kernels, const float *x,
                            const float *dy, size_t m, size_t n, const float *weight, float eps,
                            int centred, float *dx, float *products, float *d_weight,
                            float *d_bias) {
  gradient_job job = {.kernels = kernels, .x = x, .dy = dy, .weight = weight, .y = dx,
                      .products = products, .eps = eps, .centred = centred, .m = m, .n = n};
  roc_team_run(team, (m + ROW_BLOCK - 1) / ROW_BLOCK, norm_gradient_tile, &job);
  if (d_weight) roc_add_columns(team, kernels, products, m, n, d_weight);
  if (d_bias) roc_add_columns(team, kernels, dy, m, n, d_bias);
}

typedef struct {
  const roc_kernels *kernels;
  const float *a, *b;
  float *c, *d, *e;
  const roc_adamw *optimiser;
  double *sums;
  size_t count;
} run_job;

static void run_values(roc_team *team, roc_work work, run_job *job) {
  roc_team_run(team, (job->count + RUN - 1) / RUN, work, job);
}

#define RUN_TILE(name, call)                                                                     \
  static void name(void *context, size_t tile, size_t worker) {                                  \
    (void)worker;                                                                                \
    const run_job *job = context;                                                                \
    const size_t at = tile * RUN, n = at_most(job->count - at, RUN);                             \
    job->kernels->call;                                                                          \
  }

RUN_TILE(quick_gelu_tile, quick_gelu(job->a + at, n, job->c + at))
RUN_TILE(quick_gelu_gradient_tile, quick_gelu_gradient(job->a + at, job->c + at, n))
RUN_TILE(silu_gate_tile, silu_gate(job->a + at, job->b + at, n, job->c + at))
RUN_TILE(silu_gate_gradient_tile, silu_gate_gradient(job->c + at, job->d + at, job->a + at, n))
RUN_TILE(adamw_tile,
         adamw(job->optimiser, job->c + at, job->d + at, job->e + at, job->e + job->count + at, n))

void roc_quick_gelu(roc_team *team, const roc_kernels *kernels, const float *x, size_t count,
                    float *y) {
  run_job job = {.kernels = kernels, .a = x, .c = y, .count = count};
  run_values(team, quick_gelu_tile, &job);
}

void roc_quick_gelu_gradient(roc_team *team, const roc_kernels *kernels, const float *x,
                             float *gradient, size_t count) {
  run_job job = {.kernels = kernels, .a = x, .c = gradient, .count = count};
  run_values(team, quick_gelu_gradient_tile, &job);
}

void roc_silu_gate(roc_team *team, const roc_kernels *kernels, const float *gate, const float *up,
                   size_t count, float *y) {
  run_job job = {.kernels = kernels, .a = gate, .b = up, .c = y, .count = count};
  run_values(team, silu_gate_tile, &job);
}

void roc_silu_gate_gradient(roc_team *team, const roc_kernels *kernels, float *gate, float *up,
                            const float *gradient, size_t count) {
  run_job job = {.kernels = kernels, .a = gradient, .c = gate, .d = up, .count = count};
  run_values(team, silu_gate_gradient_tile, &job);
}

void roc_adamw_step(roc_team *team, const roc_kernels *kernels, const roc_adamw *optimiser, float *x,
                    float *gradient, float *moments, size_t count) {
  run_job job = {.kernels = kernels, .c = x, .d = gradient, .e = moments, .optimiser = optimiser,
                 .count = count};
  run_values(team, adamw_tile, &job);
}

// Squares are summed run by run, and the runs' sums in order.
enum { SUMS = 256 };

static void squares_tile(void *context, size_t tile, size_t worker) {
  (void)worker;
  const run_job *job = context;
  const size_t at = tile * RUN;
  job->sums[tile] = job->kernels->sum_of_squares(job->a + at, at_most(job->count - at, RUN));
}

double roc_sum_of_squares(roc_team *team, const roc_kernels *kernels, const float *x,
                          size_t count) {
  double total = 0, sums[SUMS];
  for (size_t first = 0; first < count; first += (size_t)SUMS * RUN) {
    run_job job = {.kernels = kernels, .a = x + first, .sums = sums,
                   .count = at_most(count - first, (size_t)SUMS * RUN)};
    run_values(team, squares_tile, &job);
    for (size_t i = 0; i < (job.count + RUN - 1) / RUN; i++) total += sums[i];
  }
  return total;
}

// ---------------------------------------------------------------- panels

typedef struct {
  const float *panels;
  size_t n, k;
  float *rows;
  char *packed;
} panels_job;

static void unpack_tile(void *context, size_t panel, size_t worker) {
  (void)worker;
  const panels_job *job = context;
  transpose(job->panels + panel * ROC_PANEL * job->k, ROC_PANEL, job->k,
            at_most(job->n - panel * ROC_PANEL, ROC_PANEL), job->rows + panel * ROC_PANEL * job->k,
            job->k);
}

void roc_unpack_f32(roc_team *team, const float *panels, size_t n, size_t k, float *rows) {
  panels_job job = {.panels = panels, .n = n, .k = k, .rows = rows};
  roc_team_run(team, panels_of(n), unpack_tile, &job);
}

static void round_tile(void *context, size_t panel, size_t worker) {
  (void)worker;
  const panels_job *job = context;
  uint16_t halves[ROC_PANEL];
  char *out = job->packed + panel * roc_panel_bytes(ROC_BF16, job->k);
  for (size_t p = 0; p < (job->k + 1) / 2 * 2; p++) {
    if (p < job->k)
      roc_narrow(job->panels + (panel * job->k + p) * ROC_PANEL, ROC_BF16, ROC_PANEL, halves);
    else memset(halves, 0, sizeof halves);
    for (size_t j = 0; j < ROC_PANEL; j++)
      memcpy(out + (p / 2 * ROC_PANEL + j) * 4 + p % 2 * 2, &halves[j], 2);
  }
}

void roc_round_panels(roc_team *team, const float *panels, size_t n, size_t k, void *packed) {
  panels_job job = {.panels = panels, .n = n, .k = k, .packed = packed};
  roc_team_run(team, panels_of(n), round_tile, &job);
}
