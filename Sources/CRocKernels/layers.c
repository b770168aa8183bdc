// Products and rows over a team: which tile computes what. The arithmetic is the kernels'.
#include "internal.h"

// ---------------------------------------------------------------- linear

typedef struct {
  const roc_kernels *kernels;
  const roc_product *product;
  const char *rows;       // prepared
  size_t row_stride, row_tiles, tile_rows, panel_bytes, panels;
  char *scratch;
} product_job;

// Rows that one worker prepares at a time; tiles that each worker should get at least.
enum { PREPARED = 4, TILES_EACH = 4 };

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
  const size_t panel = tile / job->row_tiles * job->panels;
  const size_t row = tile % job->row_tiles * job->tile_rows, column = panel * ROC_PANEL;
  const roc_panel_job part = {
      .format = p->format,
      .rows = job->rows + row * job->row_stride,
      .row_stride = job->row_stride,
      .m = at_most(p->m - row, job->tile_rows),
      .panel = (const char *)p->packed + panel * job->panel_bytes,
      .panel_bytes = job->panel_bytes,
      .columns = at_most(p->n - column, job->panels * ROC_PANEL),
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
  if (p->m == 0) return;
  product_job job = {
      .kernels = kernels,
      .product = p,
      .rows = p->format == ROC_F32 ? (const char *)p->a : scratch,
      .row_stride =
          p->format == ROC_F32 ? p->lda * sizeof(float) : kernels->row_bytes(p->format, p->k),
      .row_tiles = (p->m + ROC_TILE_ROWS - 1) / ROC_TILE_ROWS,
      .panel_bytes = roc_panel_bytes(p->format, p->k),
      .panels = 1,
      .scratch = scratch,
  };
  job.tile_rows = (p->m + job.row_tiles - 1) / job.row_tiles;
  // Several rows are copied for several panels at once, as long as all workers still get enough.
  const size_t tiles = panels_of(p->n) * job.row_tiles;
  while (p->m > 1 && job.panels < ROC_TILE_PANELS &&
         tiles >= TILES_EACH * 2 * job.panels * roc_team_size(team))
    job.panels *= 2;
  if (p->format != ROC_F32)
    roc_team_run(team, (p->m + PREPARED - 1) / PREPARED, prepare_tile, &job);
  roc_team_run(team, (panels_of(p->n) + job.panels - 1) / job.panels * job.row_tiles, product_tile,
               &job);
}

// ---------------------------------------------------------------- row by row

// Rows that one worker takes at a time: enough work to be worth a claim.
enum { ROW_BLOCK = 8 };

typedef struct {
  const roc_kernels *kernels;
  const float *x, *weight, *bias;
  float *y;
  float eps;
  size_t m, n, heads, stride;
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
    job->kernels->rotate(job->y + row * job->stride, job->heads, job->n,
                         job->weight + row * half, job->bias + row * half);
}

void roc_rotate_rows(roc_team *team, const roc_kernels *kernels, float *x, size_t m, size_t stride,
                     size_t heads, size_t width, const float *cosine, const float *sine) {
  row_job job = {.kernels = kernels, .weight = cosine, .bias = sine, .y = x, .m = m, .n = width,
                 .heads = heads, .stride = stride};
  run_rows(team, rotate_tile, &job);
}
