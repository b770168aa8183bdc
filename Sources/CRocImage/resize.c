// Pillow's resize, byte for byte: coefficients in double, 22-bit fixed point, horizontal pass
// first, 8 bits between the passes. A pass whose size stays the same is left out.
// Method: https://github.com/python-pillow/Pillow/blob/main/src/libImaging/Resample.c
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "CRocImage.h"

#pragma STDC FP_CONTRACT OFF

enum { PRECISION = 32 - 8 - 2 };

typedef struct {
  size_t most;    // coefficients a pixel has room for
  size_t *first;  // first source pixel of each result pixel
  size_t *count;  // source pixels of each result pixel
  int32_t *weights;
} axis;

static double bilinear(double x) {
  x = fabs(x);
  return x < 1.0 ? 1.0 - x : 0.0;
}

static double bicubic(double x) {
  const double a = -0.5;
  x = fabs(x);
  if (x < 1.0) return ((a + 2.0) * x - (a + 3.0)) * x * x + 1;
  if (x < 2.0) return (((x - 5) * x + 8) * x - 4) * a;
  return 0.0;
}

static double sinc(double x) {
  if (x == 0.0) return 1.0;
  x *= 3.14159265358979323846;
  return sin(x) / x;
}

static double lanczos(double x) { return -3.0 <= x && x < 3.0 ? sinc(x) * sinc(x / 3) : 0.0; }

static void release(axis *a) {
  free(a->first);
  free(a->count);
  free(a->weights);
}

static int prepare(axis *a, size_t in, size_t out, roc_filter filter) {
  double (*const shape)(double) =
      filter == ROC_BILINEAR ? bilinear : filter == ROC_LANCZOS ? lanczos : bicubic;
  const double reach = filter == ROC_BILINEAR ? 1.0 : filter == ROC_LANCZOS ? 3.0 : 2.0;
  const double scale = (double)in / (double)out, stretch = scale < 1.0 ? 1.0 : scale;
  const double support = reach * stretch, inverse = 1.0 / stretch;
  a->most = (size_t)ceil(support) * 2 + 1;
  a->first = malloc(out * sizeof(size_t));
  a->count = malloc(out * sizeof(size_t));
  a->weights = malloc(out * a->most * sizeof(int32_t));
  double *exact = malloc(a->most * sizeof(double));
  if (!a->first || !a->count || !a->weights || !exact) {
    free(exact);
    return 0;
  }
  for (size_t i = 0; i < out; i++) {
    const double centre = ((double)i + 0.5) * scale;
    const double low = centre - support + 0.5, high = centre + support + 0.5;
    const size_t first = low < 0 ? 0 : (size_t)low;
    const size_t end = high > (double)in ? in : (size_t)high;
    double sum = 0;
    for (size_t j = first; j < end; j++) {
      exact[j - first] = shape(((double)j - centre + 0.5) * inverse);
      sum += exact[j - first];
    }
    for (size_t j = 0; j < end - first; j++) {
      double w = sum != 0.0 ? exact[j] / sum : exact[j];
      w *= (double)(1 << PRECISION);
      a->weights[i * a->most + j] = (int32_t)(w < 0 ? w - 0.5 : w + 0.5);
    }
    a->first[i] = first;
    a->count[i] = end - first;
  }
  free(exact);
  return 1;
}

static inline __attribute__((always_inline)) uint8_t clip(int32_t sum) {
  const int32_t value = sum >> PRECISION;
  return value < 0 ? 0 : value > 255 ? 255 : (uint8_t)value;
}

// Integer arithmetic gives the same bytes on every path, so the passes are also compiled for the
// wider vectors that most CPUs have; the loader chooses.
#if defined(__x86_64__) && defined(__linux__)
#define WIDE_TOO __attribute__((target_clones("avx2", "default")))
#else
#define WIDE_TOO
#endif

// The three channels of a pixel, and a lane that is not used.
typedef int32_t lanes __attribute__((vector_size(16)));
typedef uint8_t bytes __attribute__((vector_size(4)));

WIDE_TOO
static void horizontal(const uint8_t *in, size_t width, size_t height, uint8_t *out,
                       size_t new_width, const axis *a) {
  for (size_t y = 0; y < height; y++) {
    const uint8_t *row = in + y * width * 3;
    uint8_t *target = out + y * new_width * 3;
    for (size_t x = 0; x < new_width; x++) {
      const int32_t *w = a->weights + x * a->most;
      const size_t first = a->first[x], count = a->count[x];
      const uint8_t *p = row + first * 3;
      lanes sums = (lanes){0} + (1 << (PRECISION - 1));
      // Four bytes are read for three; the last pixel of a row has no fourth.
      const size_t safe = count && first + count == width ? count - 1 : count;
      size_t j = 0;
      for (; j < safe; j++) {
        bytes pixel;
        memcpy(&pixel, p + 3 * j, 4);
        sums += w[j] * __builtin_convertvector(pixel, lanes);
      }
      if (j < count) {
        const lanes pixel = {p[3 * j], p[3 * j + 1], p[3 * j + 2], 0};
        sums += w[j] * pixel;
      }
      for (int c = 0; c < 3; c++) target[3 * x + c] = clip(sums[c]);
    }
  }
}

WIDE_TOO
static void vertical(const uint8_t *in, size_t width, uint8_t *out, size_t new_height,
                     const axis *a, int32_t *sums) {
  const size_t stride = width * 3;
  for (size_t y = 0; y < new_height; y++) {
    for (size_t i = 0; i < stride; i++) sums[i] = 1 << (PRECISION - 1);
    for (size_t j = 0; j < a->count[y]; j++) {
      const int32_t w = a->weights[y * a->most + j];
      const uint8_t *row = in + (a->first[y] + j) * stride;
      for (size_t i = 0; i < stride; i++) sums[i] += w * row[i];
    }
    for (size_t i = 0; i < stride; i++) out[y * stride + i] = clip(sums[i]);
  }
}

// One row of the square through the horizontal pass.
static void square_row(const uint8_t *row, size_t edge, uint8_t *out, size_t size, const axis *a) {
  if (edge == size)
    memcpy(out, row, size * 3);
  else
    horizontal(row, edge, 1, out, size, a);
}

int roc_resize_square(const uint8_t *pixels, size_t width, size_t height, const uint8_t *bar,
                      uint8_t *result, size_t size, roc_filter filter) {
  const size_t edge = width > height ? width : height;
  const size_t top = (edge - height) / 2, left = (edge - width) / 2;
  axis a = {0};
  uint8_t *row = malloc(edge * 3), *between = malloc(size * 3 * edge), *blank = malloc(size * 3);
  int32_t *sums = malloc(size * 3 * sizeof(int32_t));
  int done = 0;
  if (!row || !between || !blank || !sums) goto finish;
  if (edge != size && !prepare(&a, edge, size, filter)) goto finish;
  for (size_t x = 0; x < edge; x++) memcpy(row + 3 * x, bar, 3);
  square_row(row, edge, blank, size, &a);
  for (size_t y = 0; y < edge; y++) {
    uint8_t *out = between + y * size * 3;
    if (y < top || y >= top + height) {
      memcpy(out, blank, size * 3);
    } else {
      // The bars left and right stay as the first row left them.
      memcpy(row + left * 3, pixels + (y - top) * width * 3, width * 3);
      square_row(row, edge, out, size, &a);
    }
  }
  if (edge == size)
    memcpy(result, between, size * 3 * size);
  else
    vertical(between, size, result, size, &a, sums);
  done = 1;
finish:
  release(&a);
  free(row);
  free(between);
  free(blank);
  free(sums);
  return done;
}

int roc_resize(const uint8_t *pixels, size_t width, size_t height, uint8_t *result,
               size_t new_width, size_t new_height, roc_filter filter) {
  axis across = {0}, down = {0};
  uint8_t *between = NULL;
  int32_t *sums = malloc(new_width * 3 * sizeof(int32_t));
  int done = 0;
  if (!sums) goto finish;
  const uint8_t *source = pixels;
  if (new_width != width) {
    between = new_height == height ? NULL : malloc(new_width * height * 3);
    if (new_height != height && !between) goto finish;
    if (!prepare(&across, width, new_width, filter)) goto finish;
    horizontal(pixels, width, height, between ? between : result, new_width, &across);
    source = between;
  }
  if (new_height != height) {
    if (!prepare(&down, height, new_height, filter)) goto finish;
    vertical(source, new_width, result, new_height, &down, sums);
  } else if (new_width == width) {
    memcpy(result, pixels, width * height * 3);
  }
  done = 1;
finish:
  release(&across);
  release(&down);
  free(between);
  free(sums);
  return done;
}
