// Derivatives over a team: which tile computes what. The arithmetic is the kernels'.
#include "internal.h"

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

// 64 inputs: their weights transposed into a panel over the outputs.
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
RUN_TILE(gelu_tile, gelu(job->a + at, n, job->c + at))
RUN_TILE(gelu_gradient_tile, gelu_gradient(job->a + at, job->c + at, n))
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

void roc_gelu(roc_team *team, const roc_kernels *kernels, const float *x, size_t count, float *y) {
  run_job job = {.kernels = kernels, .a = x, .c = y, .count = count};
  run_values(team, gelu_tile, &job);
}

void roc_gelu_gradient(roc_team *team, const roc_kernels *kernels, const float *x, float *gradient,
                       size_t count) {
  run_job job = {.kernels = kernels, .a = x, .c = gradient, .count = count};
  run_values(team, gelu_gradient_tile, &job);
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
  const roc_kernels *kernels;
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
  job->kernels->round_panel(job->panels + panel * ROC_PANEL * job->k, job->k,
                            job->packed + panel * roc_panel_bytes(ROC_BF16, job->k));
}

void roc_round_panels(roc_team *team, const roc_kernels *kernels, const float *panels, size_t n,
                      size_t k, void *packed) {
  panels_job job = {.kernels = kernels, .panels = panels, .n = n, .k = k, .packed = packed};
  roc_team_run(team, panels_of(n), round_tile, &job);
}
