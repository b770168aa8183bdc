// Products of float32 by OpenBLAS, which is loaded when somebody asks for it. Weights stay in the
// panels that all kernels share: a panel is a matrix [K][64] of its own.
#include "internal.h"

#include <dlfcn.h>
#include <stdlib.h>

enum { ROW_MAJOR = 101, PLAIN = 111, TURNED = 112, ROWS = 256 };

const char *roc_openblas_load(roc_openblas *library) {
  const char *const names[] = {"libopenblas.so.0", "libopenblas.so", "libopenblas.0.dylib"};
  void *handle = NULL;
  for (size_t i = 0; !handle && i < sizeof names / sizeof *names; i++)
    handle = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
  if (!handle) return "libopenblas.so.0 cannot be loaded";
  void (*threads)(int);
  *(void **)&threads = dlsym(handle, "openblas_set_num_threads");
  *(void **)&library->sgemm = dlsym(handle, "cblas_sgemm");
  if (!threads || !library->sgemm) return "libopenblas.so.0 has no cblas_sgemm";
  // The team calls it from all of its threads; a pool of the library's own would wait for them.
  threads(1);
  return NULL;
}

typedef struct {
  const roc_kernels *kernels;
  const roc_openblas *library;
  const roc_product *product;
  float *scratch;
} product_job;

static void finish_panel(const product_job *job, const float *sums, size_t first, size_t rows,
                         size_t column, size_t count) {
  const roc_product *p = job->product;
  for (size_t row = 0; row < rows; row++) {
    float v[ROC_PANEL];
    float *c = p->c + (first + row) * p->ldc + column;
    for (size_t i = 0; i < count; i++)
      v[i] = sums[row * ROC_PANEL + i] + (p->bias ? p->bias[column + i] : 0);
    switch (p->finish) {
      case ROC_STORE: memcpy(c, v, count * sizeof(float)); break;
      case ROC_ADD:
        for (size_t i = 0; i < count; i++) c[i] += v[i];
        break;
      case ROC_QUICK_GELU: job->kernels->quick_gelu(v, count, c); break;
      case ROC_GELU: job->kernels->gelu(v, count, c); break;
      case ROC_SILU_GATE: job->kernels->silu_gate(c, v, count, c); break;
    }
  }
}

// One panel over at most ROWS rows.
static void product_tile(void *context, size_t tile, size_t worker) {
  const product_job *job = context;
  const roc_product *p = job->product;
  const size_t panel = tile % panels_of(p->n), first = tile / panels_of(p->n) * ROWS;
  const size_t rows = at_most(p->m - first, ROWS), column = panel * ROC_PANEL;
  float *sums = job->scratch + worker * ROWS * ROC_PANEL;
  job->library->sgemm(ROW_MAJOR, PLAIN, PLAIN, (int)rows, ROC_PANEL, (int)p->k, 1,
                      p->a + first * p->lda, (int)p->lda,
                      (const float *)p->packed + panel * p->k * ROC_PANEL, ROC_PANEL, 0, sums,
                      ROC_PANEL);
  finish_panel(job, sums, first, rows, column, at_most(p->n - column, ROC_PANEL));
}

size_t roc_openblas_scratch(size_t threads) { return threads * ROWS * ROC_PANEL; }

void roc_openblas_linear(roc_team *team, const roc_kernels *kernels, const roc_openblas *library,
                         const roc_product *product, float *scratch) {
  product_job job = {kernels, library, product, scratch};
  roc_team_run(team, panels_of(product->n) * ((product->m + ROWS - 1) / ROWS), product_tile, &job);
}

typedef struct {
  const roc_openblas *library;
  const roc_input_gradient *gradient;
} input_job;

// At most ROWS rows of dx, panel after panel.
static void input_tile(void *context, size_t tile, size_t worker) {
  (void)worker;
  const input_job *job = context;
  const roc_input_gradient *g = job->gradient;
  const size_t first = tile * ROWS, rows = at_most(g->m - first, ROWS);
  for (size_t panel = 0; panel < panels_of(g->n); panel++) {
    const size_t column = panel * ROC_PANEL;
    job->library->sgemm(ROW_MAJOR, PLAIN, TURNED, (int)rows, (int)g->k,
                        (int)at_most(g->n - column, ROC_PANEL), 1,
                        g->dy + first * g->ldy + column, (int)g->ldy,
                        (const float *)g->packed + panel * g->k * ROC_PANEL, ROC_PANEL,
                        g->adds || panel > 0, g->dx + first * g->ldx, (int)g->ldx);
  }
}

void roc_openblas_input_gradient(roc_team *team, const roc_openblas *library,
                                 const roc_input_gradient *gradient) {
  input_job job = {library, gradient};
  roc_team_run(team, (gradient->m + ROWS - 1) / ROWS, input_tile, &job);
}

typedef struct {
  const roc_openblas *library;
  const roc_weight_gradient *gradient;
} weight_job;

// A panel.
static void weight_tile(void *context, size_t tile, size_t worker) {
  (void)worker;
  const weight_job *job = context;
  const roc_weight_gradient *g = job->gradient;
  const size_t column = tile * ROC_PANEL;
  job->library->sgemm(ROW_MAJOR, TURNED, PLAIN, (int)g->k, (int)at_most(g->n - column, ROC_PANEL),
                      (int)g->m, 1, g->x, (int)g->ldx, g->dy + column, (int)g->ldy, 1,
                      g->panels + tile * g->k * ROC_PANEL, ROC_PANEL);
}

void roc_openblas_weight_gradient(roc_team *team, const roc_openblas *library,
                                  const roc_weight_gradient *gradient) {
  weight_job job = {library, gradient};
  roc_team_run(team, panels_of(gradient->n), weight_tile, &job);
}
