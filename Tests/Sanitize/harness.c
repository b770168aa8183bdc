// Runs the C code over awkward sizes and damaged pictures, for the sanitizers to watch.
//
// usage: harness PICTURE …          everything must pass
//        harness --plant overflow   must be caught by AddressSanitizer
//        harness --plant shift      must be caught by UndefinedBehaviorSanitizer
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "CRocImage.h"
#include "kernels.h"

// The tiles of the last set with its two instructions written out in C: emulated.c.
extern const roc_kernels roc_kernels_emulated;

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
      check_kernels(team, kernels);
    }
    roc_team_destroy(team);
  }
  for (int i = 1; i < count; i++) damage(arguments[i]);
  printf("harness: done, %d pictures and their damaged copies\n", count - 1);
  return 0;
}
