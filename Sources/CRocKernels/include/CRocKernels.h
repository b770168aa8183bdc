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

// ---------------------------------------------------------------- instruction sets

typedef struct roc_kernels {
  const char *name;
  // c[m, 0..<columns] = a[m, :] · panel + bias, for one panel [k][ROC_PANEL] of packed weights.
  void (*gemm_panel)(const float *a, size_t lda, size_t m, const float *panel, size_t columns,
                     size_t k, const float *_Nullable bias, float *c, size_t ldc);
  // In place: softmax of x[0..<n] after multiplication by scale.
  void (*softmax)(float *x, size_t n, float scale);
  // y = (x - mean) / sqrt(variance + eps) * weight + bias
  void (*layer_norm)(const float *x, const float *weight, const float *bias, float eps, size_t n,
                     float *y);
  // y = x / sqrt(mean(x²) + eps) * weight
  void (*rms_norm)(const float *x, const float *weight, float eps, size_t n, float *y);
  // gate = silu(gate) * up
  void (*silu_multiply)(float *gate, const float *up, size_t n);
  // x = x * sigmoid(1.702 x)
  void (*quick_gelu)(float *x, size_t n);
  // x += y
  void (*add)(float *x, const float *y, size_t n);
} roc_kernels;

// The fastest set this CPU runs.
const roc_kernels *roc_kernels_best(void);
// "portable", "avx2" or "avx512"; NULL when the name is unknown or the CPU lacks the set.
const roc_kernels *_Nullable roc_kernels_named(const char *name);
// 1 where this build has kernels of that name, whether or not the CPU runs them.
int roc_kernels_known(const char *name);

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

typedef enum roc_dtype { ROC_F32 = 0, ROC_F16 = 1, ROC_BF16 = 2 } roc_dtype;

void roc_widen(const void *source, roc_dtype dtype, size_t count, float *destination);
// Floats that N x K weights take when packed.
size_t roc_packed_count(size_t n, size_t k);
// weights [N][K] of dtype, row-major, to panels [ceil(N / 64)][K][64]; missing columns are zero.
void roc_pack(roc_team *team, const void *weights, roc_dtype dtype, size_t n, size_t k,
              float *packed);

// ---------------------------------------------------------------- layers, spread over a team

// c[M, N] = a[M, K] · Wᵀ + bias
void roc_linear(roc_team *team, const roc_kernels *kernels, const float *a, size_t lda, size_t m,
                const float *packed, size_t n, size_t k, const float *_Nullable bias, float *c,
                size_t ldc);

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

// Half rotation (Hugging Face's LLaMA): pairs are (i, i + width / 2). cosine, sine [M][width / 2].
void roc_rotate(float *x, size_t stride, size_t m, size_t heads, size_t width,
                const float *cosine, const float *sine);

#pragma clang assume_nonnull end
#endif
