// The products of the full-size model in oneDNN and by our kernels, in turn.
//
// oneDNN gets its weights in the layout it prefers (format_tag any), and rows already rounded: for
// bf16 and 8 bits ours rounds them within the time. Its threads sleep between turns and wake within
// them, while ours spin for some microseconds: little of a product but of those with one row.
// Medians of the rounds; Markdown.
#include <dnnl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "CRocKernels.h"

enum { ROUNDS = 9 };

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static int ascending(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double median(double *values) {
  qsort(values, ROUNDS, sizeof *values, ascending);
  return values[ROUNDS / 2];
}

#define CHECK(call)                                                                              \
  do {                                                                                           \
    const dnnl_status_t status = (call);                                                         \
    if (status != dnnl_success) {                                                                \
      fprintf(stderr, "%s: status %d\n", #call, status);                                         \
      exit(1);                                                                                   \
    }                                                                                            \
  } while (0)

typedef struct {
  dnnl_engine_t engine;
  dnnl_stream_t stream;
  dnnl_primitive_t primitive;
  dnnl_exec_arg_t arguments[3];
} peer;

static dnnl_memory_t memory_of(const peer *p, const dnnl_memory_desc_t *descriptor) {
  dnnl_memory_t memory;
  CHECK(dnnl_memory_create(&memory, descriptor, p->engine, DNNL_MEMORY_ALLOCATE));
  void *data;
  CHECK(dnnl_memory_get_data_handle(memory, &data));
  // Small integers in any format; what they are does not change the time.
  memset(data, 1, dnnl_memory_desc_get_size(descriptor));
  return memory;
}

// Returns 0 where this CPU or this oneDNN has no such product.
static int make(peer *p, roc_dtype format, size_t m, size_t n, size_t k) {
  const dnnl_data_type_t rows =
      format == ROC_F32 ? dnnl_f32 : format == ROC_BF16 ? dnnl_bf16 : dnnl_u8;
  const dnnl_data_type_t weights = format == ROC_INT8 ? dnnl_s8 : rows;
  const dnnl_data_type_t sums = format == ROC_INT8 ? dnnl_s32 : dnnl_f32;
  const dnnl_dims_t a = {(dnnl_dim_t)m, (dnnl_dim_t)k}, b = {(dnnl_dim_t)k, (dnnl_dim_t)n};
  const dnnl_dims_t c = {(dnnl_dim_t)m, (dnnl_dim_t)n};
  dnnl_memory_desc_t ad, bd, cd;
  CHECK(dnnl_memory_desc_init_by_tag(&ad, 2, a, rows, dnnl_ab));
  CHECK(dnnl_memory_desc_init_by_tag(&bd, 2, b, weights, dnnl_format_tag_any));
  CHECK(dnnl_memory_desc_init_by_tag(&cd, 2, c, sums, dnnl_ab));
  dnnl_matmul_desc_t product;
  CHECK(dnnl_matmul_desc_init(&product, &ad, &bd, NULL, &cd));
  dnnl_primitive_desc_t description;
  if (dnnl_primitive_desc_create(&description, &product, NULL, p->engine, NULL) != dnnl_success)
    return 0;
  CHECK(dnnl_primitive_create(&p->primitive, description));
  const dnnl_query_t what[] = {dnnl_query_src_md, dnnl_query_weights_md, dnnl_query_dst_md};
  const int names[] = {DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST};
  for (int i = 0; i < 3; i++)
    p->arguments[i] = (dnnl_exec_arg_t){
        names[i], memory_of(p, dnnl_primitive_desc_query_md(description, what[i], 0))};
  CHECK(dnnl_primitive_desc_destroy(description));
  return 1;
}

static void run(const peer *p) {
  CHECK(dnnl_primitive_execute(p->primitive, p->stream, 3, p->arguments));
  CHECK(dnnl_stream_wait(p->stream));
}

static void compare(peer *p, roc_team *team, roc_dtype format, size_t m, size_t n, size_t k) {
  static const char *const names[] = {[ROC_F32] = "f32", [ROC_BF16] = "bf16", [ROC_INT8] = "int8"};
  const roc_kernels *kernels = roc_kernels_best();
  float *a = malloc(m * k * sizeof(float)), *w = malloc(n * k * sizeof(float));
  float *c = malloc(m * n * sizeof(float));
  for (size_t i = 0; i < m * k; i++) a[i] = (float)(i % 251) / 251 - 0.5f;
  for (size_t i = 0; i < n * k; i++) w[i] = (float)(i % 241) / 241 - 0.5f;
  void *packed = aligned_alloc(64, roc_packed_bytes(format, n, k));
  void *scratch = aligned_alloc(64, roc_product_scratch(kernels, format, m, k) / 64 * 64 + 128);
  if (!roc_pack(team, w, ROC_F32, n, k, format, packed)) exit(1);
  free(w);
  const roc_product product = {.a = a, .lda = k, .m = m, .packed = packed, .format = format, .n = n,
                               .k = k, .finish = ROC_STORE, .c = c, .ldc = n};
  const int has_peer = make(p, format, m, n, k);
  double ours[ROUNDS], theirs[ROUNDS], ratios[ROUNDS];
  for (int round = -1; round < ROUNDS; round++) {
    const double start = now();
    roc_linear(team, kernels, &product, scratch);
    const double middle = now();
    if (has_peer) run(p);
    const double end = now();
    if (round < 0) continue;
    ours[round] = middle - start, theirs[round] = end - middle;
    ratios[round] = ours[round] / theirs[round];
  }
  const double operations = 2e-9 * (double)(m * n * k), time = median(ours);
  if (has_peer)
    printf("| %zu x %zu -> %zu | %s | %.0f | %.0f | %.2f |\n", m, k, n, names[format],
           operations / time, operations / median(theirs), median(ratios));
  else
    printf("| %zu x %zu -> %zu | %s | %.0f | none | |\n", m, k, n, names[format],
           operations / time);
  fflush(stdout);
  if (has_peer) {
    for (int i = 0; i < 3; i++) dnnl_memory_destroy(p->arguments[i].memory);
    dnnl_primitive_destroy(p->primitive);
  }
  free(a), free(c), free(packed), free(scratch);
}

// The largest bytes there are: an instruction that adds two products in 16 bits saturates.
static void show_saturation(peer *p) {
  enum { K = 256 };
  if (!make(p, ROC_INT8, 16, 64, K)) return;
  void *data[3];
  for (int i = 0; i < 3; i++) CHECK(dnnl_memory_get_data_handle(p->arguments[i].memory, &data[i]));
  memset(data[0], 255, 16 * K);
  // Every byte is 127 in whatever layout oneDNN chose.
  memset(data[1], 127, 64 * K);
  run(p);
  int32_t sum;
  memcpy(&sum, data[2], sizeof sum);
  printf("\noneDNN's sum of %d products 255 x 127: %d, exactly %d\n", K, sum, 255 * 127 * K);
}

int main(void) {
  static const size_t shapes[][3] = {
      {1025, 4096, 1024}, {1025, 1024, 4096}, {110, 11008, 4096}, {93, 11008, 4096},
      {93, 4096, 11008}, {1, 11008, 4096},
  };
  static const roc_dtype formats[] = {ROC_F32, ROC_BF16, ROC_INT8};
  roc_team *team = roc_team_create(roc_core_count());
  peer p;
  CHECK(dnnl_engine_create(&p.engine, dnnl_cpu, 0));
  CHECK(dnnl_stream_create(&p.stream, p.engine, dnnl_stream_default_flags));
  const dnnl_version_t *version = dnnl_version();
  printf("roc's kernels %s beside oneDNN %d.%d.%d, %zu threads, medians of %d rounds in turn\n\n",
         roc_kernels_best()->name, version->major, version->minor, version->patch,
         roc_team_size(team), ROUNDS);
  printf("| product | format | roc Gop/s | oneDNN Gop/s | roc's time / oneDNN's |\n");
  printf("|---|---|---:|---:|---:|\n");
  for (size_t s = 0; s < sizeof shapes / sizeof shapes[0]; s++)
    for (size_t f = 0; f < 3; f++)
      compare(&p, team, formats[f], shapes[s][0], shapes[s][1], shapes[s][2]);
  show_saturation(&p);
  return 0;
}
