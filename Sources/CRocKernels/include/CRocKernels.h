// The arithmetic of the engine in C: one text of kernels, compiled once per instruction set.
//
// Letters: M = rows (tokens), N = output features, K = input features, S = keys, H = head width.
// Every output element is summed in one fixed order over K (or S), whatever the number of rows,
// tiles or threads, so a row's bits never depend on its neighbours.
#ifndef CROCKERNELS_H
#define CROCKERNELS_H

#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

#define ROC_SENDABLE __attribute__((swift_attr("@Sendable")))

// Output features a panel of packed weights holds: 4 vectors of 16 floats, so that a tile of
// 6 rows keeps 24 accumulators in the 32 registers of AVX-512.
#define ROC_PANEL 64
// The most rows that a panel is applied to at once; their sums stay in L2.
#define ROC_TILE_ROWS 192

// Number formats: of a checkpoint's weights (the first three) and of packed ones (all but F16).
typedef enum roc_dtype { ROC_F32 = 0, ROC_F16 = 1, ROC_BF16 = 2, ROC_INT8 = 3 } roc_dtype;

// What becomes of a finished product v = a · w + bias.
typedef enum roc_finish {
  ROC_STORE = 0,       // c = v
  ROC_ADD = 1,         // c = c + v, the residual connection
  ROC_QUICK_GELU = 2,  // c = v · sigmoid(1.702 v)
  ROC_SILU_GATE = 3,   // c = silu(c) · v
} roc_finish;

// ---------------------------------------------------------------- instruction sets

// One panel of packed weights applied to prepared rows.
typedef struct roc_panel_job {
  roc_dtype format;         // of rows and panel
  const void *rows;         // prepared; for ROC_F32 the float rows themselves
  size_t row_stride;        // bytes from one row to the next
  size_t m;                 // at most ROC_TILE_ROWS
  const void *panel;
  size_t columns;           // at most ROC_PANEL
  size_t k;
  const float *_Nullable bias;  // [columns]
  roc_finish finish;
  float *c;
  size_t ldc;               // floats from one row of c to the next
} roc_panel_job;

typedef struct roc_kernels {
  const char *name;
  void (*panel)(const roc_panel_job *job);
  // Bytes of a row of k inputs prepared for products in ROC_BF16 or ROC_INT8.
  size_t (*row_bytes)(roc_dtype format, size_t k);
  // Rounds x[0..<k] to bf16, or to 8 bits with a scale of its own and the outliers set apart.
  void (*prepare_row)(roc_dtype format, const float *x, size_t k, void *row);
  // In place: softmax of x[0..<n] after multiplication by scale.
  void (*softmax)(float *x, size_t n, float scale);
  // y = (x - mean) / sqrt(variance + eps) * weight + bias
  void (*layer_norm)(const float *x, const float *weight, const float *bias, float eps, size_t n,
                     float *y);
  // y = x / sqrt(mean(x²) + eps) * weight
  void (*rms_norm)(const float *x, const float *weight, float eps, size_t n, float *y);
  // Half rotation of the heads of one row (Hugging Face's LLaMA): pairs are (i, i + width / 2).
  void (*rotate)(float *x, size_t heads, size_t width, const float *cosine, const float *sine);
  // Repeats products in registers; returns how many operations that were.
  double (*peak)(roc_dtype format, size_t rounds);
  // Reads count floats as fast as memory gives them.
  float (*read)(const float *values, size_t count);
} roc_kernels;

// The fastest set this CPU runs.
const roc_kernels *roc_kernels_best(void);
// "portable", "avx2", "avx512", "avx512vnni" or "avx512bf16"; NULL when the name is unknown or
// the CPU lacks the set.
const roc_kernels *_Nullable roc_kernels_named(const char *name);
// The name of the i-th set of this build, the fastest first; NULL after the last.
const char *_Nullable roc_kernels_name(size_t i);
// 1 where this build has kernels of that name, whether or not the CPU runs them.
int roc_kernels_known(const char *name);
// 1 where products of bf16 have an instruction of their own in this set.
int roc_kernels_have_bf16(const roc_kernels *kernels);

// ---------------------------------------------------------------- threads

typedef struct roc_team roc_team;
typedef void (*roc_work)(void *context, size_t tile, size_t worker) ROC_SENDABLE;

// Cores that this process may run on; at least 1.
size_t roc_core_count(void);
// A team of `threads` workers, the caller included. NULL when the system refuses a thread.
roc_team *_Nullable roc_team_create(size_t threads);
void roc_team_destroy(roc_team *team);
size_t roc_team_size(const roc_team *team);
// Runs work(context, 0..<tiles) on the team and returns when all are done. Callers take turns.
void roc_team_run(roc_team *team, size_t tiles, roc_work work, void *context);

// ---------------------------------------------------------------- packing

void roc_widen(const void *source, roc_dtype dtype, size_t count, float *destination);
// Rounds to ROC_F32, ROC_F16 or ROC_BF16, to nearest and even; too large becomes infinite.
void roc_narrow(const float *source, roc_dtype dtype, size_t count, void *destination);
// 1 when no value is infinite or NaN. Rows are spread over the team.
int roc_all_finite(roc_team *team, const void *source, roc_dtype dtype, size_t count);

// Bytes of one panel, a multiple of 64:
//   ROC_F32   [K][64] floats
//   ROC_BF16  [K / 2][64][2]; an odd K is filled with zeros
//   ROC_INT8  [K / 4][64][4], then 64 float scales and 64 int32 sums of -128 · weights
size_t roc_panel_bytes(roc_dtype format, size_t k);
// Bytes of N x K weights when packed: a panel for every 64 outputs, missing ones are zero.
size_t roc_packed_bytes(roc_dtype format, size_t n, size_t k);
// Packs weights [N][K], row-major, at any alignment. 8-bit weights are symmetric, one scale an
// output. Returns 0 when a weight is infinite or NaN; the packed values are then of no use.
int roc_pack(roc_team *team, const void *weights, roc_dtype dtype, size_t n, size_t k,
             roc_dtype format, void *packed);

// Values first..<(first + count) of a stream of nearly normal noise with mean 0 that `seed` names,
// in ROC_F32, ROC_F16 or ROC_BF16. Each value depends on its index alone.
void roc_fill_normal(roc_team *team, uint64_t seed, uint64_t first, size_t count, float deviation,
                     roc_dtype dtype, void *out);

// ---------------------------------------------------------------- layers, spread over a team

typedef struct roc_product {
  const float *a;           // [M][K]
  size_t lda, m;
  const void *packed;
  roc_dtype format;
  size_t n, k;
  const float *_Nullable bias;
  roc_finish finish;
  float *c;                 // [M][N]
  size_t ldc;
} roc_product;

// Bytes of scratch that a product needs for its prepared rows; 0 for ROC_F32.
size_t roc_product_scratch(const roc_kernels *kernels, roc_dtype format, size_t m, size_t k);
// c = finish(a · Wᵀ + bias)
void roc_linear(roc_team *team, const roc_kernels *kernels, const roc_product *product,
                void *_Nullable scratch);

typedef struct roc_attention {
  const float *query, *key, *value;           // row strides below, in floats
  float *output;
  size_t query_stride, key_stride, value_stride, output_stride;
  size_t query_head, key_head, value_head;    // distance from one head to the next
  size_t queries, keys, heads, group, width;  // group = query heads that share one key head
  float scale;
  // Causal: query i sees keys 0..<(first_visible + i). Not causal: 0, every query sees all keys.
  size_t first_visible;
} roc_attention;

// Floats of scratch a worker needs.
size_t roc_attention_scratch(const roc_attention *shape);
// scratch: roc_attention_scratch floats for each worker of the team.
void roc_attend(roc_team *team, const roc_kernels *kernels, const roc_attention *shape,
                float *scratch);

// Row by row over [M][N]; see roc_kernels.
void roc_layer_norm_rows(roc_team *team, const roc_kernels *kernels, const float *x, size_t m,
                         size_t n, const float *weight, const float *bias, float eps, float *y);
void roc_rms_norm_rows(roc_team *team, const roc_kernels *kernels, const float *x, size_t m,
                       size_t n, const float *weight, float eps, float *y);
// x [M][heads · width]; cosine, sine [M][width / 2].
void roc_rotate_rows(roc_team *team, const roc_kernels *kernels, float *x, size_t m,
                     size_t heads, size_t width, const float *cosine, const float *sine);

#pragma clang assume_nonnull end
#endif
