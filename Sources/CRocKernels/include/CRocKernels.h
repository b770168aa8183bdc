// The arithmetic of the engine in C: one source of kernels, compiled once per instruction set.
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
// The most rows and panels that are multiplied at once. Copies and sums of them, about 370 KB, are
// on the stack of the thread that multiplies, and stay in its L2.
#define ROC_TILE_ROWS 96
#define ROC_TILE_PANELS 8

// Number formats: of a checkpoint's weights (the first three) and of packed ones (all but F16).
typedef enum roc_dtype { ROC_F32 = 0, ROC_F16 = 1, ROC_BF16 = 2, ROC_INT8 = 3 } roc_dtype;

// What becomes of a finished product v = a · w + bias.
typedef enum roc_finish {
  ROC_STORE = 0,       // c = v
  ROC_ADD = 1,         // c = c + v, the residual connection
  ROC_QUICK_GELU = 2,  // c = v · sigmoid(1.702 v)
  ROC_SILU_GATE = 3,   // c = silu(c) · v
  ROC_GELU = 4,        // c = v · Φ(v), Φ the normal distribution, by its error function
} roc_finish;

// ---------------------------------------------------------------- instruction sets

// A few panels of packed weights applied to prepared rows.
typedef struct roc_panel_job {
  roc_dtype format;         // of rows and panel
  const void *rows;         // prepared; for ROC_F32 the float rows themselves
  size_t row_stride;        // bytes from one row to the next
  size_t m;                 // at most ROC_TILE_ROWS
  const void *panel;        // the first of them
  size_t panel_bytes;       // from one to the next
  size_t columns;           // at most ROC_TILE_PANELS * ROC_PANEL
  size_t k;
  const float *_Nullable bias;  // [columns]
  roc_finish finish;
  float *c;
  size_t ldc;               // floats from one row of c to the next
} roc_panel_job;

// One step of AdamW (Loshchilov and Hutter, https://arxiv.org/abs/1711.05101) as PyTorch writes it:
//   g = gradient_factor · gradient,  m = beta1 m + (1 - beta1) g,  v = beta2 v + (1 - beta2) g²
//   x = keep · x - step · m / (sqrt(v) · inverse_root_correction2 + eps)
// with keep = 1 - lr · decay, step = lr / (1 - beta1^t) and the inverse root of 1 - beta2^t.
typedef struct roc_adamw {
  float gradient_factor, keep;
  double beta1, beta2;  // 1 - beta2 in float32 would be off by 1e-5 of itself
  float eps, step, inverse_root_correction2;
} roc_adamw;

typedef struct roc_kernels {
  const char *name;
  void (*panel)(const roc_panel_job *job);
  // Bytes of a row of k inputs prepared for products in ROC_BF16 or ROC_INT8.
  size_t (*row_bytes)(roc_dtype format, size_t k);
  // Rounds x[0..<k] to bf16, or to 8 bits with a scale of its own and the outliers set apart.
  void (*prepare_row)(roc_dtype format, const float *x, size_t k, void *row);
  // Rounds a panel of packed ROC_F32 weights to ROC_BF16; may write where it reads.
  void (*round_panel)(const float *panel, size_t k, void *out);
  // In place: softmax of x[0..<n] after multiplication by scale.
  void (*softmax)(float *x, size_t n, float scale);
  // y = (x - mean) / sqrt(variance + eps) * weight + bias
  void (*layer_norm)(const float *x, const float *weight, const float *bias, float eps, size_t n,
                     float *y);
  // y = x / sqrt(mean(x²) + eps) * weight
  void (*rms_norm)(const float *x, const float *weight, float eps, size_t n, float *y);
  // Half rotation of the heads of one row (Hugging Face's LLaMA): pairs are (i, i + width / 2).
  void (*rotate)(float *x, size_t heads, size_t width, const float *cosine, const float *sine);
  // gradient, that of softmax(scale · x) = weights, becomes that of x.
  void (*softmax_gradient)(const float *weights, float *gradient, size_t n, float scale);
  // Of layer_norm (centred 1) or rms_norm (0): adds to dx; products summed over rows are the
  // gradient of weight.
  void (*norm_gradient)(const float *x, const float *weight, const float *dy, float eps, size_t n,
                        int centred, float *dx, float *products);
  // y = x · sigmoid(1.702 x), as ROC_QUICK_GELU
  void (*quick_gelu)(const float *x, size_t n, float *y);
  // gradient, that of quick_gelu(x), becomes that of x.
  void (*quick_gelu_gradient)(const float *x, float *gradient, size_t n);
  // y = x · Φ(x), as ROC_GELU
  void (*gelu)(const float *x, size_t n, float *y);
  // gradient, that of gelu(x), becomes that of x.
  void (*gelu_gradient)(const float *x, float *gradient, size_t n);
  // y = silu(gate) · up, as ROC_SILU_GATE
  void (*silu_gate)(const float *gate, const float *up, size_t n, float *y);
  // From the gradient of silu_gate: gate and up become their own gradients.
  void (*silu_gate_gradient)(float *gate, float *up, const float *gradient, size_t n);
  // sums += each column of x [m][stride], n of them
  void (*add_columns)(const float *x, size_t m, size_t stride, size_t n, float *sums);
  double (*sum_of_squares)(const float *x, size_t n);
  // Moves x, mean and square; the gradient becomes 0.
  void (*adamw)(const roc_adamw *optimiser, float *x, float *gradient, float *mean, float *square,
                size_t n);
  // Repeats products in registers; returns how many operations that was.
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

// Which slot of every parameter's gradients this thread adds to; 0 unless it was set. Threads that
// work on samples of one batch at the same time have one each.
size_t roc_gradient_slot(void);
void roc_set_gradient_slot(size_t slot);

// ---------------------------------------------------------------- packing

void roc_widen(const void *source, roc_dtype dtype, size_t count, float *destination);
// Rounds to ROC_F32, ROC_F16 or ROC_BF16, to nearest, ties to even; too large becomes infinite.
void roc_narrow(const float *source, roc_dtype dtype, size_t count, void *destination);
// 1 when no value is infinite or NaN. Values are spread over the team.
int roc_all_finite(roc_team *team, const void *source, roc_dtype dtype, size_t count);

// Bytes of one panel, a multiple of 64:
//   ROC_F32   [K][64] floats
//   ROC_BF16  [K / 2][64][2]; an odd K is padded with zeros
//   ROC_INT8  [K / 4][64][4], then 64 float scales and 64 int32 sums of -128 · weights
size_t roc_panel_bytes(roc_dtype format, size_t k);
// Bytes of N x K weights when packed: a panel for every 64 outputs, missing ones being zero.
size_t roc_packed_bytes(roc_dtype format, size_t n, size_t k);
// Packs weights [N][K], row-major, at any alignment. 8-bit weights are symmetric, with one scale
// per output. Returns 0 when a weight is infinite or NaN; the packed values are then of no use.
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
  // Of both products: ROC_F32, or ROC_BF16, where queries, keys, values and the softmax's results
  // are rounded. Scores, softmax and sums are float32.
  roc_dtype format;
  const float *query, *key, *value;           // row strides below, in floats
  float *output;
  size_t query_stride, key_stride, value_stride, output_stride;
  size_t query_head, key_head, value_head;    // distance from one head to the next
  size_t queries, keys, heads, group, width;  // group = query heads that share one key head
  float scale;
  // Causal: query i sees keys 0..<(first_visible + i). Not causal: 0, every query sees all keys.
  size_t first_visible;
  // [keys], nonzero where no query sees the key; NULL when none is hidden. Key 0 is never hidden.
  const unsigned char *_Nullable hidden;
} roc_attention;

// Floats of scratch a worker needs.
size_t roc_attention_scratch(const roc_kernels *kernels, const roc_attention *shape);
// scratch: roc_attention_scratch floats for each worker of the team.
void roc_attend(roc_team *team, const roc_kernels *kernels, const roc_attention *shape,
                float *scratch);

// Row by row over [M][N]; see roc_kernels.
void roc_layer_norm_rows(roc_team *team, const roc_kernels *kernels, const float *x, size_t m,
                         size_t n, const float *weight, const float *bias, float eps, float *y);
void roc_rms_norm_rows(roc_team *team, const roc_kernels *kernels, const float *x, size_t m,
                       size_t n, const float *weight, float eps, float *y);
// The first heads · width values of rows x [M][stride]; cosine, sine [M][width / 2].
void roc_rotate_rows(roc_team *team, const roc_kernels *kernels, float *x, size_t m, size_t stride,
                     size_t heads, size_t width, const float *cosine, const float *sine);

// ---------------------------------------------------------------- derivatives
//
// Sums over rows are taken in the order of the rows, whatever the number of threads.

// dx = dy · W (added to dx where `adds`), dy [M][N], dx [M][K]. Weights of any packed format; they
// are widened to float32 panel by panel.
typedef struct roc_input_gradient {
  const float *dy;
  size_t ldy, m;
  const void *packed;
  roc_dtype format;
  size_t n, k;
  float *dx;
  size_t ldx;
  int adds;
} roc_input_gradient;

// Floats of scratch that each worker needs.
size_t roc_input_gradient_scratch(size_t n);
void roc_linear_input_gradient(roc_team *team, const roc_kernels *kernels,
                               const roc_input_gradient *gradient, float *scratch);

// panels += dyᵀ · x, laid out as packed ROC_F32 weights; dy [M][N], x [M][K].
typedef struct roc_weight_gradient {
  const float *dy;
  size_t ldy, m;
  const float *x;
  size_t ldx, n, k;
  float *panels;
} roc_weight_gradient;

// Floats of scratch, all workers' together.
size_t roc_weight_gradient_scratch(size_t threads, size_t m, size_t k);
void roc_linear_weight_gradient(roc_team *team, const roc_kernels *kernels,
                                const roc_weight_gradient *gradient, float *scratch);

// The gradients of a roc_attention's inputs, in the inputs' layouts. d_query is written, the
// others are added to.
typedef struct roc_attention_gradient {
  roc_attention shape;             // output is not used
  const float *d_output;           // [queries][heads · width], output_stride
  float *d_query, *d_key, *d_value;
} roc_attention_gradient;

// Floats of scratch a worker needs.
size_t roc_attention_gradient_scratch(const roc_attention *shape);
void roc_attend_gradient(roc_team *team, const roc_kernels *kernels,
                         const roc_attention_gradient *gradient, float *scratch);

// products [M][N] is scratch; d_weight and d_bias [N] are added to where they are given.
void roc_norm_gradient_rows(roc_team *team, const roc_kernels *kernels, const float *x,
                            const float *dy, size_t m, size_t n, const float *weight, float eps,
                            int centred, float *dx, float *products, float *_Nullable d_weight,
                            float *_Nullable d_bias);
// sums[N] += the columns of x [M][N].
void roc_add_columns(roc_team *team, const roc_kernels *kernels, const float *x, size_t m, size_t n,
                     float *sums);

// Over long runs of values.
void roc_quick_gelu(roc_team *team, const roc_kernels *kernels, const float *x, size_t count,
                    float *y);
void roc_quick_gelu_gradient(roc_team *team, const roc_kernels *kernels, const float *x,
                             float *gradient, size_t count);
void roc_gelu(roc_team *team, const roc_kernels *kernels, const float *x, size_t count, float *y);
void roc_gelu_gradient(roc_team *team, const roc_kernels *kernels, const float *x, float *gradient,
                       size_t count);
void roc_silu_gate(roc_team *team, const roc_kernels *kernels, const float *gate, const float *up,
                   size_t count, float *y);
void roc_silu_gate_gradient(roc_team *team, const roc_kernels *kernels, float *gate, float *up,
                            const float *gradient, size_t count);
double roc_sum_of_squares(roc_team *team, const roc_kernels *kernels, const float *x, size_t count);
// moments: the means, then the squares, of `count` values each.
void roc_adamw_step(roc_team *team, const roc_kernels *kernels, const roc_adamw *optimiser, float *x,
                    float *gradient, float *moments, size_t count);

// Packed ROC_F32 weights as rows [N][K], without what pads a panel.
void roc_unpack_f32(roc_team *team, const float *panels, size_t n, size_t k, float *rows);
// Rounds packed ROC_F32 weights to packed ROC_BF16.
void roc_round_panels(roc_team *team, const roc_kernels *kernels, const float *panels, size_t n,
                      size_t k, void *packed);

// ---------------------------------------------------------------- OpenBLAS

typedef struct roc_openblas {
  void (*_Nullable sgemm)(int order, int a_form, int b_form, int m, int n, int k, float alpha,
                          const float *a, int lda, const float *b, int ldb, float beta, float *c,
                          int ldc);
} roc_openblas;

// NULL, or why the library cannot be used.
const char *_Nullable roc_openblas_load(roc_openblas *library);
// Floats of scratch that a product needs.
size_t roc_openblas_scratch(size_t threads);
// Like roc_linear and the derivatives above, for ROC_F32; sums are taken in the library's order.
void roc_openblas_linear(roc_team *team, const roc_kernels *kernels, const roc_openblas *library,
                         const roc_product *product, float *scratch);
void roc_openblas_input_gradient(roc_team *team, const roc_openblas *library,
                                 const roc_input_gradient *gradient);
void roc_openblas_weight_gradient(roc_team *team, const roc_openblas *library,
                                  const roc_weight_gradient *gradient);

#pragma clang assume_nonnull end
#endif
