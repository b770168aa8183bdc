#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "internal.h"

int roc_fail(roc_picture *picture, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(picture->message, sizeof picture->message, format, arguments);
  va_end(arguments);
  return 0;
}

int roc_allocate(roc_picture *picture, size_t width, size_t height) {
  if (width == 0 || height == 0) return roc_fail(picture, "a size of %zu x %zu", width, height);
  picture->too_large = width > ROC_MOST_PIXELS / height;
  if (picture->too_large)
    return roc_fail(picture, "%zu x %zu pixels, more than the %u that are decoded", width, height,
                    ROC_MOST_PIXELS);
  picture->width = width;
  picture->height = height;
  picture->pixels = malloc(width * height * 3);
  if (!picture->pixels) return roc_fail(picture, "no memory for %zu x %zu pixels", width, height);
  return 1;
}
