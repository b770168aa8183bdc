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

static const char *const sets[] = {"portable", "avx2", "avx512"};
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

static void products(roc_team *team, const roc_kernels *kernels) {
  static const size_t sizes[][3] = {{1, 1, 1},    {3, 63, 65},  {6, 64, 128}, {7, 65, 129},
                                    {13, 70, 31}, {200, 5, 17}, {5, 200, 300}};
  for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
    const size_t m = sizes[s][0], n = sizes[s][1], k = sizes[s][2];
    float *a = numbers(m * k), *w = numbers(n * k), *bias = numbers(n), *c = numbers(m * n);
    float *packed = numbers(roc_packed_count(n, k));
    roc_pack(team, w, ROC_F32, n, k, packed);
    roc_linear(team, kernels, a, k, m, packed, n, k, bias, c, n);
    double exact = bias[n - 1];
    for (size_t p = 0; p < k; p++) exact += (double)a[(m - 1) * k + p] * w[(n - 1) * k + p];
    require(fabs(exact - c[m * n - 1]) < 1e-4, "a product is wrong");
    // Half-precision weights at an odd address, as a mapped file has them.
    char *odd = malloc(2 * n * k + 1);
    memset(odd, 0x11, 2 * n * k + 1);
    roc_pack(team, odd + 1, ROC_F16, n, k, packed);
    roc_pack(team, odd + 1, ROC_BF16, n, k, packed);
    roc_linear(team, kernels, a, k, m, packed, n, k, NULL, c, n);
    free(odd);
    free(a), free(w), free(bias), free(c), free(packed);
  }
}

static void rows(const roc_kernels *kernels) {
  for (size_t n = 1; n < 70; n++) {
    float *x = numbers(n), *y = numbers(n), *z = numbers(n), *out = numbers(n);
    kernels->layer_norm(x, y, z, 1e-5f, n, out);
    kernels->rms_norm(x, y, 1e-5f, n, out);
    kernels->silu_multiply(out, x, n);
    kernels->quick_gelu(out, n);
    kernels->add(out, x, n);
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
  roc_rotate(query, q, queries, heads, width, cosine, cosine);
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
    kernels->add(y, x, 16);
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
    for (size_t s = 0; s < 3; s++) {
      const roc_kernels *kernels = roc_kernels_named(sets[s]);
      if (!kernels) {
        if (threads == 1) printf("skipped: this CPU has no %s\n", sets[s]);
        continue;
      }
      products(team, kernels);
      rows(kernels);
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
