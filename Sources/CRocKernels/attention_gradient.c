// The derivative of attention over a team, a key head at a time.
#include "internal.h"

// Queries whose weights are held at once: there are three times as many floats as in the forward
// pass.
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

// out[m][width] = or += a[m][k] · the first k rows that the panels hold.
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
  multiply(job->kernels, q, s->query_stride, rows, m.keys, padded(seen), s->width, ROC_STORE,
           m.weights, stride);
  multiply(job->kernels, out, s->output_stride, rows, m.values, padded(seen), s->width, ROC_STORE,
           m.gradients, stride);
  for (size_t i = 0; i < rows; i++) {
    const size_t visible = s->first_visible ? s->first_visible + row + i : s->keys;
    float *weights = m.weights + i * stride, *gradients = m.gradients + i * stride;
    hide_keys(s, weights, visible);
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
