// Runs the C code over awkward sizes and damaged pictures, for the sanitizers to watch.
//
// usage: harness PICTURE …          everything must pass
//        harness --plant overflow   must be caught by AddressSanitizer
//        harness --plant shift      must be caught by UndefinedBehaviorSanitizer
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "CRocImage.h"
#include "CRocKernels.h"

// The tiles of the last set with its two instructions written out in C: emulated.c.
extern const roc_kernels roc_kernels_emulated;
static unsigned state = 1;

static float number(void) {
  state = state * 1664525u + 1013904223u;
  return (float)(state >> 8) / 16777216.0f - 0.5f;
}

// Exactly as many floats as asked for, so that one too many is a heap overflow.
static float *numbers(size_t count) {
  float *values = malloc((count ? count : 1) * sizeof(float));
  if (!values) abort();
  for (size_t i = 0; i < count; i++) values[i] = number();
  return values;
}

static void require(int holds, const char *what) {
  if (!holds) {
    fprintf(stderr, "harness: %s\n", what);
    exit(1);
  }
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
  static const size_t sizes[][3] = {{1, 1, 1},    {3, 63, 65},  {6, 64, 128}, {7, 65, 129},
                                    {13, 70, 31}, {200, 5, 17}, {5, 200, 300}, {1, 130, 1030}, {9, 1100, 70}};
  for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
    const size_t m = sizes[s][0], n = sizes[s][1], k = sizes[s][2];
    float *a = numbers(m * k), *w = numbers(n * k), *bias = numbers(n);
    if (k > 100) a[7] = 300, a[k - 2] = -1000;
    for (size_t f = 0; f < 3; f++)
      for (roc_finish finish = ROC_STORE; finish <= ROC_SILU_GATE; finish++) {
        float *found = product(team, kernels, formats[f], m, n, k, a, w, bias, finish);
        float *expected = product(team, roc_kernels_named("portable"), formats[f], m, n, k, a, w,
                                  bias, finish);
        for (size_t i = 0; i < m * n; i++)
          require(fabsf(found[i] - expected[i]) <= 2e-3f + 1e-5f * fabsf(expected[i]),
                  "a product differs from the portable one");
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
                      size_t heads, size_t group, size_t width, size_t visible) {
  const size_t q = heads * width, k = heads / group * width;
  float *query = numbers(queries * q), *key = numbers(keys * k), *value = numbers(keys * k);
  float *output = numbers(queries * q), *cosine = numbers(queries * (width / 2));
  roc_rotate_rows(team, kernels, query, queries, heads, width, cosine, cosine);
  const roc_attention shape = {
      .query = query, .key = key, .value = value, .output = output,
      .query_stride = q, .key_stride = k, .value_stride = k, .output_stride = q,
      .query_head = width, .key_head = width, .value_head = width,
      .queries = queries, .keys = keys, .heads = heads, .group = group, .width = width,
      .scale = 0.3f, .first_visible = visible};
  float *scratch = numbers(roc_attention_scratch(&shape) * roc_team_size(team));
  roc_attend(team, kernels, &shape, scratch);
  require(isfinite(output[queries * q - 1]), "attention is not finite");
  free(query), free(key), free(value), free(output), free(cosine), free(scratch);
}

typedef int (*decoder)(const uint8_t *, size_t, roc_picture *);
static const decoder decoders[] = {roc_decode_jpeg, roc_decode_png, roc_decode_webp};

static void decode(const uint8_t *bytes, size_t count) {
  // An exact copy: reading past the file is a heap overflow.
  uint8_t *copy = malloc(count ? count : 1);
  memcpy(copy, bytes, count);
  for (size_t d = 0; d < 3; d++) {
    roc_picture picture;
    const int done = decoders[d](copy, count, &picture);
    require(done == (picture.pixels != NULL), "pixels without success");
    require(done || picture.message[0], "a failure without a message");
    if (done) {
      const size_t width = picture.width, height = picture.height;
      static const size_t edges[] = {1, 7, 56};
      for (size_t e = 0; e < 3; e++) {
        uint8_t *small = malloc(edges[e] * edges[e] * 3);
        require(roc_resize(picture.pixels, width, height, small, edges[e], edges[e],
                           e == 0 ? ROC_LANCZOS : e == 1 ? ROC_BILINEAR : ROC_BICUBIC),
                "a resize failed");
        static const uint8_t bar[3] = {122, 116, 104};
        require(roc_resize_square(picture.pixels, width, height, bar, small, edges[e],
                                  ROC_BICUBIC),
                "a square failed");
        free(small);
      }
      if (width < 400 && height < 400) {
        uint8_t *written;
        size_t size;
        require(roc_encode_png(picture.pixels, width, height, &written, &size), "no PNG");
        free(written);
        require(roc_encode_jpeg(picture.pixels, width, height, 90, &written, &size), "no JPEG");
        free(written);
      }
    }
    free(picture.pixels);
  }
  free(copy);
}

static void damage(const char *path) {
  FILE *file = fopen(path, "rb");
  require(file != NULL, path);
  fseek(file, 0, SEEK_END);
  const size_t count = (size_t)ftell(file);
  rewind(file);
  uint8_t *bytes = malloc(count + 1);
  require(fread(bytes, 1, count, file) == count, path);
  fclose(file);
  decode(bytes, count);
  if (count < 12000) {
    const size_t step = count / 60 + 1;
    for (size_t i = 0; i < count; i += step) {
      decode(bytes, i);
      bytes[i] ^= 0xA5;
      decode(bytes, count);
      bytes[i] ^= 0xA5;
    }
  }
  free(bytes);
}

static int plant(const char *kind) {
  if (strcmp(kind, "overflow") == 0) {
    const roc_kernels *kernels = roc_kernels_named("portable");
    float *x = numbers(16), *y = numbers(15);
    kernels->rms_norm(x, x, 1e-5f, 16, y);
    printf("%f\n", y[0]);
    free(x), free(y);
  } else {
    volatile int bits = 40;
    printf("%d\n", 1 << bits);
  }
  return 0;
}

int main(int count, char **arguments) {
  if (count == 3 && strcmp(arguments[1], "--plant") == 0) return plant(arguments[2]);
  for (size_t threads = 1; threads <= 3; threads++) {
    roc_team *team = roc_team_create(threads);
    require(team != NULL, "no threads");
    for (size_t s = 0;; s++) {
      const char *name = s ? roc_kernels_name(s - 1) : "emulated";
      if (!name) break;
      const roc_kernels *kernels = s ? roc_kernels_named(name) : &roc_kernels_emulated;
      if (!kernels) {
        if (threads == 1) printf("skipped: this CPU has no %s\n", name);
        continue;
      }
      products(team, kernels);
      rows(team, kernels);
      attention(team, kernels, 1, 1, 1, 1, 2, 0);
      attention(team, kernels, 9, 26, 4, 1, 12, 0);
      attention(team, kernels, 40, 70, 4, 2, 80, 0);
      attention(team, kernels, 35, 35, 2, 1, 64, 1);
      attention(team, kernels, 2, 66, 2, 2, 128, 65);
    }
    roc_team_destroy(team);
  }
  for (int i = 1; i < count; i++) damage(arguments[i]);
  printf("harness: done, %d pictures and their damaged copies\n", count - 1);
  return 0;
}
