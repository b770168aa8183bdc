// Wrappers around libjpeg, libpng and libwebp: bytes in, RGB pixels or a message out.
//
// libjpeg and libpng report errors by longjmp, which must not cross Swift frames. Pixels are what
// Pillow's convert("RGB") gives: alpha dropped, EXIF orientation ignored, CMYK by Adobe's
// inversion, 16-bit grey saturated, 16-bit colour cut to its high byte.
#ifndef CROCIMAGE_H
#define CROCIMAGE_H

#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

// Pillow's limit against decompression bombs: twice 89,478,485 pixels.
#define ROC_MOST_PIXELS 178956970u

typedef struct roc_picture {
  uint8_t *_Nullable pixels;  // height x width x 3, from malloc; the caller frees it
  size_t width, height;
  int truncated;              // the data ended too early
  int too_large;              // more than ROC_MOST_PIXELS
  char message[256];          // why it failed; empty on success
} roc_picture;

// 1 on success; 0 with a message, and no pixels to free.
int roc_decode_jpeg(const uint8_t *bytes, size_t count, roc_picture *picture);
int roc_decode_png(const uint8_t *bytes, size_t count, roc_picture *picture);
int roc_decode_webp(const uint8_t *bytes, size_t count, roc_picture *picture);

// Writes RGB pixels as a PNG file into memory from malloc; 0 when memory runs out.
int roc_encode_png(const uint8_t *pixels, size_t width, size_t height,
                   uint8_t *_Nullable *_Nonnull bytes, size_t *count);
// Likewise as a baseline JPEG with 4:2:0 chroma.
int roc_encode_jpeg(const uint8_t *pixels, size_t width, size_t height, int quality,
                    uint8_t *_Nullable *_Nonnull bytes, size_t *count);

typedef enum roc_filter { ROC_BILINEAR = 2, ROC_BICUBIC = 3, ROC_LANCZOS = 1 } roc_filter;

// Pillow's antialiased resize of RGB pixels; filter numbers are Pillow's. 0 when memory runs out.
int roc_resize(const uint8_t *pixels, size_t width, size_t height, uint8_t *result,
               size_t new_width, size_t new_height, roc_filter filter);

// The same as padding to a square of the longer edge and resizing it to size x size, without the
// square: `bar` is the colour on both sides; the picture lies in the middle, rounded towards the
// top and the left. 0 when memory runs out.
int roc_resize_square(const uint8_t *pixels, size_t width, size_t height, const uint8_t *bar,
                      uint8_t *result, size_t size, roc_filter filter);

#pragma clang assume_nonnull end
#endif
