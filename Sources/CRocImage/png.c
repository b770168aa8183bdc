#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <png.h>

#include "internal.h"

// What must survive a longjmp lies here: libpng holds its address, so it is kept in memory.
typedef struct {
  const uint8_t *bytes;
  size_t count, position;
  int hit_end;
  roc_picture *picture;
  uint8_t *wide;    // 16-bit samples
  png_bytep *rows;
  int complete;     // all pixels are read; what follows them does not matter
} source;

static void on_error(png_structp png, png_const_charp text) {
  source *self = png_get_error_ptr(png);
  if (self && !self->picture->message[0]) roc_fail(self->picture, "%s", text);
  png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp text) {
  (void)png;
  (void)text;
}

static void read_bytes(png_structp png, png_bytep target, size_t count) {
  source *self = png_get_io_ptr(png);
  if (count > self->count - self->position) {
    self->hit_end = 1;
    png_error(png, "the file is cut short");
  }
  memcpy(target, self->bytes + self->position, count);
  self->position += count;
}

// 16-bit grey is a number to Pillow, which saturates it; other 16-bit samples lose the low byte.
static void from_grey16(const uint8_t *row, size_t width, uint8_t *rgb) {
  for (size_t x = 0; x < width; x++) memset(rgb + 3 * x, row[2 * x] ? 255 : row[2 * x + 1], 3);
}

static int decode(png_structp png, png_infop info, source *self) {
  roc_picture *picture = self->picture;
  png_read_info(png, info);
  const size_t width = png_get_image_width(png, info), height = png_get_image_height(png, info);
  const int depth = png_get_bit_depth(png, info), color = png_get_color_type(png, info);
  const int is_grey16 = depth == 16 && color == PNG_COLOR_TYPE_GRAY;
  if (!roc_allocate(picture, width, height)) return 0;
  const int is_interlaced = png_get_interlace_type(png, info) != PNG_INTERLACE_NONE;
  if (is_interlaced) self->rows = malloc(height * sizeof(png_bytep));
  if (is_grey16) self->wide = malloc(width * height * 2);
  if ((is_interlaced && !self->rows) || (is_grey16 && !self->wide))
    return roc_fail(picture, "no memory for %zu x %zu pixels", width, height);
  if (color == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(png);
  if (color == PNG_COLOR_TYPE_GRAY && depth < 8) png_set_expand_gray_1_2_4_to_8(png);
  if (!is_grey16) {
    if (depth == 16) png_set_strip_16(png);
    png_set_strip_alpha(png);
    if (!(color & PNG_COLOR_MASK_COLOR)) png_set_gray_to_rgb(png);
  }
  png_set_interlace_handling(png);
  png_read_update_info(png, info);
  const size_t stride = is_grey16 ? width * 2 : width * 3;
  if (png_get_rowbytes(png, info) != stride)
    return roc_fail(picture, "rows of %zu bytes, expected %zu", png_get_rowbytes(png, info),
                    stride);
  uint8_t *base = is_grey16 ? self->wide : picture->pixels;
  if (is_interlaced) {
    for (size_t y = 0; y < height; y++) self->rows[y] = base + y * stride;
    png_read_image(png, self->rows);
  } else {
    for (size_t y = 0; y < height; y++) png_read_row(png, base + y * stride, NULL);
  }
  for (size_t y = 0; is_grey16 && y < height; y++)
    from_grey16(self->wide + y * stride, width, picture->pixels + y * width * 3);
  self->complete = 1;
  png_read_end(png, NULL);
  return 1;
}

int roc_decode_png(const uint8_t *bytes, size_t count, roc_picture *picture) {
  source input = {.bytes = bytes, .count = count, .picture = picture};
  memset(picture, 0, sizeof *picture);
  png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &input, on_error, on_warning);
  png_infop info = png ? png_create_info_struct(png) : NULL;
  if (!info) {
    png_destroy_read_struct(&png, NULL, NULL);
    return roc_fail(picture, "no memory for the PNG reader");
  }
  volatile int done = 0;
  if (!setjmp(png_jmpbuf(png))) {
    png_set_read_fn(png, &input, read_bytes);
    png_set_user_limits(png, ROC_MOST_PIXELS, ROC_MOST_PIXELS);
    png_set_chunk_malloc_max(png, 8u << 20);
    done = decode(png, info, &input);
  }
  png_destroy_read_struct(&png, &info, NULL);
  // As in Pillow, a damaged end after the last row does no damage to the picture.
  if (input.complete) done = 1;
  free(input.wide);
  free(input.rows);
  if (!done) {
    picture->truncated = input.hit_end;
    free(picture->pixels);
    picture->pixels = NULL;
  }
  return done;
}

int roc_encode_png(const uint8_t *pixels, size_t width, size_t height, uint8_t **bytes,
                   size_t *count) {
  png_image image = {.version = PNG_IMAGE_VERSION,
                     .width = (png_uint_32)width,
                     .height = (png_uint_32)height,
                     .format = PNG_FORMAT_RGB};
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(image);
  uint8_t *buffer = malloc(size);
  if (!buffer) return 0;
  if (!png_image_write_to_memory(&image, buffer, &size, 0, pixels, 0, NULL)) {
    free(buffer);
    return 0;
  }
  *bytes = buffer;
  *count = size;
  return 1;
}
