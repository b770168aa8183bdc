// Runs every kernel of a set over awkward sizes and holds it against the portable set.
#include "kernels.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned state = 1;

static float number(void) {
  state = state * 1664525u + 1013904223u;
  return (float)(state >> 8) / 16777216.0f - 0.5f;
}

float *numbers(size_t count) {
  float *values = malloc((count ? count : 1) * sizeof(float));
  if (!values) abort();
  for (size_t i = 0; i < count; i++) values[i] = number();
  return values;
}

void require(int holds, const char *what) {
  if (!holds) {
    fprintf(stderr, "harness: %s\n", what);
    exit(1);
  }
}

static float *copy_of(const float *values, size_t count) {
  float *copy = malloc((count ? count : 1) * sizeof(float));
  if (!copy) abort();
  memcpy(copy, values, count * sizeof(float));
  return copy;
}

static const roc_dtype formats[] = {ROC_F32, ROC_BF16, ROC_INT8};

// One product into exactly as much memory as it needs.
static float *product(roc_team *team, const roc_kernels *kernels, roc_dtype format, size_t m,
                      size_t n, size_t k, const float *a, const float *w, const float *bias,
                      roc_finish finish) {
  void *packed = aligned_alloc(64, roc_packed_bytes(format, n, k) + 64);
  void *scratch = aligned_alloc(64, roc_product_scratch(kernels, format, m, k) + 64);
  require(packed && scratch, "no memory");
  require(roc_pack(team, w, ROC_F32, n, k, format, packed), "finite weights were refused");
  float *c = calloc(m * n, sizeof(float));
  const roc_product job = {.a = a, .lda = k, .m = m, .packed = packed, .format = format, .n = n,
                           .k = k, .bias = bias, .finish = finish, .c = c, .ldc = n};
  roc_linear(team, kernels, &job, scratch);
  free(packed), free(scratch);
  return c;
}

// Every format of a set against the portable kernels, which the unit tests hold against sums in
// double.
static void products(roc_team *team, const roc_kernels *kernels) {
  // Around tiles and panels; more inputs than a block; more panels than are taken at once.
  static const size_t sizes[][3] = {{1, 1, 1},      {3, 63, 65},  {6, 64, 128},  {7, 65, 129},
                                    {13, 70, 31},   {200, 5, 17}, {5, 200, 300}, {1, 130, 1030},
                                    {9, 1100, 70},  {8, 70, 1100}, {3, 2100, 140}};
  for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
    const size_t m = sizes[s][0], n = sizes[s][1], k = sizes[s][2];
    float *a = numbers(m * k), *w = numbers(n * k), *bias = numbers(n);
    if (k > 100) a[7] = 300, a[k - 2] = -1000;
    for (size_t f = 0; f < 3; f++)
      for (roc_finish finish = ROC_STORE; finish <= ROC_GELU; finish++) {
        float *found = product(team, kernels, formats[f], m, n, k, a, w, bias, finish);
        float *expected = product(team, roc_kernels_named("portable"), formats[f], m, n, k, a, w,
                                  bias, finish);
        // 2e-3 before what becomes of it, whose derivative is at most 1.2.
        for (size_t i = 0; i < m * n; i++)
          require(fabsf(found[i] - expected[i]) <= 1.2f * 2e-3f + 1e-5f * fabsf(expected[i]),
                  "a product differs from the portable one");
        for (size_t row = 0; finish == ROC_STORE && row < m; row += m > 1 ? m - 1 : 1) {
          float *alone = product(team, kernels, formats[f], 1, n, k, a + row * k, w, bias, finish);
          require(memcmp(alone, found + row * n, n * sizeof(float)) == 0,
                  "a row alone has other bits than in company");
          free(alone);
        }
        free(found), free(expected);
      }
    // Half-precision weights at an odd address, as a mapped file has them.
    char *odd = malloc(2 * n * k + 1);
    memset(odd, 0x11, 2 * n * k + 1);
    for (size_t f = 0; f < 3; f++) {
      char *packed = malloc(roc_packed_bytes(formats[f], n, k));
      require(roc_pack(team, odd + 1, ROC_F16, n, k, formats[f], packed), "f16 was refused");
      require(roc_pack(team, odd + 1, ROC_BF16, n, k, formats[f], packed), "bf16 was refused");
      free(packed);
    }
    require(roc_all_finite(team, odd + 1, ROC_BF16, n * k), "finite values were refused");
    free(odd);
    free(a), free(w), free(bias);
  }
}

static void rows(roc_team *team, const roc_kernels *kernels) {
  for (size_t n = 1; n < 70; n++) {
    float *x = numbers(n), *y = numbers(n), *z = numbers(n), *out = numbers(n);
    roc_layer_norm_rows(team, kernels, x, 1, n, y, z, 1e-5f, out);
    roc_rms_norm_rows(team, kernels, x, 1, n, y, 1e-5f, out);
    kernels->softmax(x, n, 2);
    float sum = 0;
    for (size_t i = 0; i < n; i++) sum += x[i];
    require(fabsf(sum - 1) < 1e-4f, "a softmax does not sum to 1");
    free(x), free(y), free(z), free(out);
  }
}

static void attention(roc_team *team, const roc_kernels *kernels, size_t queries, size_t keys,
                      size_t heads, size_t group, size_t width, size_t visible,
                      roc_dtype format) {
  const size_t q = heads * width, k = heads / group * width;
  float *query = numbers(queries * q), *key = numbers(keys * k), *value = numbers(keys * k);
  float *output = numbers(queries * q), *cosine = numbers(queries * (width / 2));
  roc_rotate_rows(team, kernels, query, queries, heads * width, heads, width, cosine, cosine);
  const roc_attention shape = {
      .format = format, .query = query, .key = key, .value = value, .output = output,
      .query_stride = q, .key_stride = k, .value_stride = k, .output_stride = q,
      .query_head = width, .key_head = width, .value_head = width,
      .queries = queries, .keys = keys, .heads = heads, .group = group, .width = width,
      .scale = 0.3f, .first_visible = visible};
  const roc_kernels *portable = roc_kernels_named("portable");
  float *scratch = numbers(roc_attention_scratch(portable, &shape) * roc_team_size(team));
  roc_attend(team, portable, &shape, scratch);
  free(scratch);
  float *expected = copy_of(output, queries * q);
  scratch = numbers(roc_attention_scratch(kernels, &shape) * roc_team_size(team));
  roc_attend(team, kernels, &shape, scratch);
  // Where a set's last bits differ, a weight near the middle between two bf16 goes the other way,
  // by up to 2^-7 of itself; weights sum to 1, and values are at most 0.5.
  const float limit = format == ROC_BF16 ? 0x1p-8f : 1e-5f;
  for (size_t i = 0; i < queries * q; i++)
    require(fabsf(output[i] - expected[i]) <= limit, "attention differs from the portable one");
  free(expected);
  free(query), free(key), free(value), free(output), free(cosine), free(scratch);
}

// ---------------------------------------------------------------- derivatives

// Expects a set's values to be those of the portable one, but for rounding.
static void compare(const float *found, const float *expected, size_t count, const char *what) {
  for (size_t i = 0; i < count; i++)
    require(fabsf(found[i] - expected[i]) <= 2e-4f + 1e-5f * fabsf(expected[i]), what);
}

// What each case computes with a set, in one piece of memory.
typedef struct {
  roc_team *team;
  const roc_kernels *kernels;
  size_t m, n, k;
} sizes;

// dx of every format, written and added, then the weights' gradient in row order.
static float *linear_gradients(const sizes *s, size_t *count) {
  const size_t m = s->m, n = s->n, k = s->k;
  float *dy = numbers(m * n), *x = numbers(m * k), *w = numbers(n * k), *dx = numbers(m * k);
  *count = 6 * m * k + n * k;
  float *results = malloc(*count * sizeof(float)), *at = results;
  for (size_t f = 0; f < 3; f++) {
    void *packed = aligned_alloc(64, roc_packed_bytes(formats[f], n, k));
    require(roc_pack(s->team, w, ROC_F32, n, k, formats[f], packed), "finite weights were refused");
    float *scratch = numbers(roc_input_gradient_scratch(n) * roc_team_size(s->team));
    for (int adds = 0; adds < 2; adds++, at += m * k) {
      roc_input_gradient job = {.dy = dy, .ldy = n, .m = m, .packed = packed, .format = formats[f],
                                .n = n, .k = k, .dx = copy_of(dx, m * k), .ldx = k, .adds = adds};
      roc_linear_input_gradient(s->team, s->kernels, &job, scratch);
      memcpy(at, job.dx, m * k * sizeof(float));
      free(job.dx);
    }
    free(packed), free(scratch);
  }
  float *panels = aligned_alloc(64, roc_packed_bytes(ROC_F32, n, k));
  require(roc_pack(s->team, w, ROC_F32, n, k, ROC_F32, panels), "finite weights were refused");
  float *scratch = numbers(roc_weight_gradient_scratch(roc_team_size(s->team), m, k));
  const roc_weight_gradient job = {.dy = dy, .ldy = n, .m = m, .x = x, .ldx = k, .n = n, .k = k,
                                   .panels = panels};
  roc_linear_weight_gradient(s->team, s->kernels, &job, scratch);
  float *rows = numbers(n * k);
  roc_unpack_f32(s->team, panels, n, k, rows);
  memcpy(at, rows, n * k * sizeof(float));
  // Rounding panels is packing in bf16.
  char *rounded = malloc(roc_packed_bytes(ROC_BF16, n, k));
  char *packed = malloc(roc_packed_bytes(ROC_BF16, n, k));
  roc_round_panels(s->team, s->kernels, panels, n, k, rounded);
  require(roc_pack(s->team, rows, ROC_F32, n, k, ROC_BF16, packed), "finite weights were refused");
  require(memcmp(rounded, packed, roc_packed_bytes(ROC_BF16, n, k)) == 0,
          "rounded panels differ from packed ones");
  free(panels), free(scratch), free(rows), free(rounded), free(packed);
  free(dy), free(x), free(w), free(dx);
  return results;
}

// Norms with and without centring: dx, and the gradients of weight and bias.
static float *norm_gradients(const sizes *s, size_t *count) {
  const size_t m = s->m, n = s->n;
  float *x = numbers(m * n), *dy = numbers(m * n), *weight = numbers(n);
  *count = 2 * (m * n + 2 * n);
  float *results = malloc(*count * sizeof(float)), *at = results;
  for (int centred = 0; centred < 2; centred++) {
    float *dx = numbers(m * n), *products = numbers(m * n);
    float *sums = numbers(n), *shifts = numbers(n);
    roc_norm_gradient_rows(s->team, s->kernels, x, dy, m, n, weight, 1e-2f, centred, dx, products,
                           sums, centred ? shifts : NULL);
    roc_norm_gradient_rows(s->team, s->kernels, x, dy, m, n, weight, 1e-2f, centred, dx, products,
                           NULL, NULL);
    memcpy(at, dx, m * n * sizeof(float)), at += m * n;
    memcpy(at, sums, n * sizeof(float)), at += n;
    memcpy(at, shifts, n * sizeof(float)), at += n;
    free(dx), free(products), free(sums), free(shifts);
  }
  free(x), free(dy), free(weight);
  return results;
}

// Activations, their gradients and the optimiser over n values.
static float *run_gradients(const sizes *s, size_t *count) {
  const size_t n = s->n;
  float *x = numbers(n), *y = numbers(n), *gradient = numbers(n), *moments = numbers(2 * n);
  for (size_t i = 0; i < 2 * n; i++) moments[i] = fabsf(moments[i]);
  *count = 11 * n + 1;
  float *results = malloc(*count * sizeof(float));
  float *out[8];
  for (size_t i = 0; i < 8; i++) out[i] = copy_of(i == 4 ? x : i == 5 ? y : gradient, n);
  roc_quick_gelu(s->team, s->kernels, x, n, out[0]);
  roc_quick_gelu_gradient(s->team, s->kernels, x, out[1], n);
  roc_gelu(s->team, s->kernels, x, n, out[6]);
  roc_gelu_gradient(s->team, s->kernels, x, out[7], n);
  roc_silu_gate(s->team, s->kernels, x, y, n, out[2]);
  s->kernels->softmax(out[3], n, 1);
  float *weights = copy_of(out[3], n);
  memcpy(out[3], x, n * sizeof(float));
  s->kernels->softmax_gradient(weights, out[3], n, 2);
  roc_silu_gate_gradient(s->team, s->kernels, out[4], out[5], gradient, n);
  for (size_t i = 0; i < 6; i++) memcpy(results + i * n, out[i], n * sizeof(float));
  for (size_t i = 6; i < 8; i++) memcpy(results + (i + 3) * n, out[i], n * sizeof(float));
  results[11 * n] = (float)sqrt(roc_sum_of_squares(s->team, s->kernels, gradient, n) / (double)n);
  const roc_adamw step = {.gradient_factor = 0.5f, .keep = 0.99f, .beta1 = 0.9, .beta2 = 0.999,
                          .eps = 1e-3f, .step = 0.01f, .inverse_root_correction2 = 1};
  roc_adamw_step(s->team, s->kernels, &step, x, gradient, moments, n);
  memcpy(results + 6 * n, x, n * sizeof(float));
  memcpy(results + 7 * n, moments, 2 * n * sizeof(float));
  for (size_t i = 0; i < n; i++) require(gradient[i] == 0, "a gradient was not cleared");
  for (size_t i = 0; i < 8; i++) free(out[i]);
  free(weights), free(x), free(y), free(gradient), free(moments);
  return results;
}

// A case by a set and by the portable kernels, from the same numbers.
static void derivative(roc_team *team, const roc_kernels *kernels,
                       float *(*work)(const sizes *, size_t *), size_t m, size_t n, size_t k,
                       const char *what) {
  const unsigned start = state;
  size_t count;
  float *found = work(&(sizes){team, kernels, m, n, k}, &count);
  state = start;
  float *expected = work(&(sizes){team, roc_kernels_named("portable"), m, n, k}, &count);
  compare(found, expected, count, what);
  free(found), free(expected);
}

static void derivatives(roc_team *team, const roc_kernels *kernels) {
  static const size_t shapes[][3] = {{1, 1, 1},    {3, 63, 65},  {6, 64, 128}, {7, 65, 129},
                                     {13, 70, 31}, {200, 5, 17}, {5, 200, 300}, {2, 130, 515},
                                     {300, 600, 70}};
  for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
    const size_t m = shapes[i][0], n = shapes[i][1], k = shapes[i][2];
    derivative(team, kernels, linear_gradients, m, n, k,
               "a product's gradient differs from the portable one");
  }
  for (size_t n = 1; n < 140; n += n < 36 ? 1 : 13) {
    derivative(team, kernels, norm_gradients, n % 19 + 1, n, 0,
               "a norm's gradient differs from the portable one");
    derivative(team, kernels, run_gradients, 0, n, 0,
               "a function's gradient differs from the portable one");
  }
  derivative(team, kernels, run_gradients, 0, (1 << 14) + 3, 0,
             "a long run's gradient differs from the portable one");
  // More runs than are summed at once.
  const size_t count = ((size_t)256 << 14) + 5;
  float *values = calloc(count, sizeof(float));
  values[0] = values[count - 1] = 2;
  require(roc_sum_of_squares(team, kernels, values, count) == 8, "squares were lost");
  free(values);
}

typedef struct {
  size_t queries, keys, heads, group, width, visible;
  int hides;
} attention_size;

// d_query, d_key and d_value in one piece of memory.
static float *attention_gradients(roc_team *team, const roc_kernels *kernels, attention_size s,
                                  size_t *count) {
  const size_t q = s.heads * s.width, k = s.heads / s.group * s.width;
  float *query = numbers(s.queries * q), *key = numbers(s.keys * k), *value = numbers(s.keys * k);
  float *gradient = numbers(s.queries * q), *d_query = numbers(s.queries * q);
  float *d_key = numbers(s.keys * k), *d_value = numbers(s.keys * k);
  unsigned char *hidden = malloc(s.keys);
  for (size_t i = 0; i < s.keys; i++) hidden[i] = i % 3 == 2;
  const roc_attention_gradient job = {
      .shape = {.query = query, .key = key, .value = value, .output = gradient,
                .query_stride = q, .key_stride = k, .value_stride = k, .output_stride = q,
                .query_head = s.width, .key_head = s.width, .value_head = s.width,
                .queries = s.queries, .keys = s.keys, .heads = s.heads, .group = s.group,
                .width = s.width, .scale = 0.3f, .first_visible = s.visible,
                .hidden = s.hides ? hidden : NULL},
      .d_output = gradient, .d_query = d_query, .d_key = d_key, .d_value = d_value};
  float *scratch = numbers(roc_attention_gradient_scratch(&job.shape) * roc_team_size(team));
  roc_attend_gradient(team, kernels, &job, scratch);
  *count = s.queries * q + 2 * s.keys * k;
  float *results = malloc(*count * sizeof(float));
  memcpy(results, d_query, s.queries * q * sizeof(float));
  memcpy(results + s.queries * q, d_key, s.keys * k * sizeof(float));
  memcpy(results + s.queries * q + s.keys * k, d_value, s.keys * k * sizeof(float));
  free(query), free(key), free(value), free(gradient), free(d_query), free(d_key), free(d_value);
  free(hidden), free(scratch);
  return results;
}

static void attention_derivatives(roc_team *team, const roc_kernels *kernels) {
  static const attention_size shapes[] = {
      {1, 1, 1, 1, 2, 0, 0},   {9, 26, 4, 1, 12, 0, 0},    {40, 70, 4, 2, 80, 0, 1},
      {35, 35, 2, 1, 64, 1, 1}, {2, 66, 2, 2, 128, 65, 0}, {36, 36, 2, 2, 128, 1, 0},
      {65, 3, 2, 1, 12, 0, 1}, {34, 100, 2, 2, 66, 67, 0},
      {13, 601, 2, 1, 72, 0, 0}, {34, 605, 2, 2, 66, 572, 0}};
  for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
    const unsigned start = state;
    size_t count;
    float *found = attention_gradients(team, kernels, shapes[i], &count);
    state = start;
    float *expected =
        attention_gradients(team, roc_kernels_named("portable"), shapes[i], &count);
    compare(found, expected, count, "attention's gradient differs from the portable one");
    free(found), free(expected);
  }
}

void check_kernels(roc_team *team, const roc_kernels *kernels) {
  products(team, kernels);
  rows(team, kernels);
  for (size_t f = 0; f < 2; f++) {
    attention(team, kernels, 1, 1, 1, 1, 2, 0, formats[f]);
    attention(team, kernels, 9, 26, 4, 1, 12, 0, formats[f]);
    attention(team, kernels, 60, 71, 4, 2, 80, 0, formats[f]);
    attention(team, kernels, 53, 53, 2, 1, 64, 1, formats[f]);
    attention(team, kernels, 2, 66, 2, 2, 128, 65, formats[f]);
    attention(team, kernels, 13, 601, 2, 1, 72, 0, formats[f]);
    attention(team, kernels, 50, 605, 2, 2, 130, 556, formats[f]);
  }
  derivatives(team, kernels);
  attention_derivatives(team, kernels);
}
