// Attention over a team, a key head at a time. The arithmetic is the kernels'.
#include "internal.h"

// Queries that share one block of scores: 48 x 1,088 floats are 204 KiB, which stay in L2.
enum { QUERY_ROWS = 48 };

// Floats that the prepared rows of a block take.
static size_t prepared_floats(const roc_kernels *kernels, const roc_attention *s) {
  if (s->format == ROC_F32) return 0;
  const size_t longest = s->keys > s->width ? s->keys : s->width;
  return QUERY_ROWS * kernels->row_bytes(s->format, longest) / sizeof(float);
}

size_t roc_attention_scratch(const roc_kernels *kernels, const roc_attention *s) {
  const size_t keys = padded(s->keys);
  return keys * s->width               // keys, packed as weights of a product
         + s->keys * padded(s->width)  // values, packed likewise
         + QUERY_ROWS * keys           // scores
         + prepared_floats(kernels, s);
}

typedef struct {
  const roc_kernels *kernels;
  const roc_attention *shape;
  float *scratch;
  size_t scratch_size;
} attention_job;

// What a worker keeps while it goes through a key head.
typedef struct {
  float *keys, *values, *scores, *prepared;
} attention_memory;

static attention_memory memory_of(const attention_job *job, size_t worker) {
  const roc_attention *s = job->shape;
  const size_t keys = padded(s->keys);
  attention_memory m = {.keys = job->scratch + worker * job->scratch_size};
  m.values = m.keys + keys * s->width;
  m.scores = m.values + s->keys * padded(s->width);
  m.prepared = m.scores + QUERY_ROWS * keys;
  return m;
}

// Panels of `k` floats per column, one after the other, rounded where they lie.
static void round_panels(const attention_job *job, float *panels, size_t count, size_t k) {
  const size_t bytes = roc_panel_bytes(ROC_BF16, k);
  for (size_t i = 0; i < count; i++)
    job->kernels->round_panel(panels + i * k * ROC_PANEL, k, (char *)panels + i * bytes);
}

// out[m][columns] = x[m][k] · panels of at least k inputs, in the attention's format.
static void multiply_rows(const attention_job *job, const float *x, size_t stride, size_t m,
                          size_t k, const float *panels, size_t packed_k, size_t columns,
                          float *prepared, float *out, size_t out_stride) {
  const roc_dtype format = job->shape->format;
  roc_panel_job product = {
      .format = format, .rows = x, .row_stride = stride * sizeof(float), .m = m, .panel = panels,
      .panel_bytes = roc_panel_bytes(format, packed_k), .columns = columns, .k = k,
      .finish = ROC_STORE, .c = out, .ldc = out_stride};
  if (format != ROC_F32) {
    product.rows = prepared;
    product.row_stride = job->kernels->row_bytes(format, k);
    for (size_t i = 0; i < m; i++)
      job->kernels->prepare_row(format, x + i * stride, k,
                                (char *)prepared + i * product.row_stride);
  }
  multiply_all(job->kernels, &product);
}

// One key head and all query heads that share it.
static void attention_tile(void *context, size_t head, size_t worker) {
  const attention_job *job = context;
  const roc_attention *s = job->shape;
  const size_t stride = padded(s->keys);
  const attention_memory m = memory_of(job, worker);
  pack_over_width(s->key + head * s->key_head, s->key_stride, s->keys, s->width, m.keys);
  pack_over_rows(s->value + head * s->value_head, s->value_stride, s->keys, s->width, m.values);
  if (s->format != ROC_F32) {
    round_panels(job, m.keys, panels_of(s->keys), s->width);
    round_panels(job, m.values, panels_of(s->width), s->keys);
  }
  for (size_t member = 0; member < s->group; member++) {
    const size_t query_head = head * s->group + member;
    const float *q = s->query + query_head * s->query_head;
    float *out = s->output + query_head * s->width;
    for (size_t row = 0; row < s->queries; row += QUERY_ROWS) {
      const size_t rows = at_most(s->queries - row, QUERY_ROWS);
      const size_t seen =
          s->first_visible ? at_most(s->first_visible + row + rows - 1, s->keys) : s->keys;
      multiply_rows(job, q + row * s->query_stride, s->query_stride, rows, s->width, m.keys,
                    s->width, padded(seen), m.prepared, m.scores, stride);
      for (size_t i = 0; i < rows; i++) {
        const size_t visible = s->first_visible ? s->first_visible + row + i : s->keys;
        float *scores = m.scores + i * stride;
        hide_keys(s, scores, visible);
        job->kernels->softmax(scores, visible, s->scale);
        // Adding zeros leaves the sums of the shorter rows of this block as they are, as long as
        // values are finite; other values make their picture not_finite in any case.
        memset(scores + visible, 0, (seen - visible) * sizeof(float));
      }
      multiply_rows(job, m.scores, stride, rows, seen, m.values, s->keys, s->width, m.prepared,
                    out + row * s->output_stride, s->output_stride);
    }
  }
}

void roc_attend(roc_team *team, const roc_kernels *kernels, const roc_attention *shape,
                float *scratch) {
  attention_job job = {kernels, shape, scratch, roc_attention_scratch(kernels, shape)};
  roc_team_run(team, shape->heads / shape->group, attention_tile, &job);
}
