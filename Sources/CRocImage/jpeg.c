#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>
#include <jerror.h>

#include "internal.h"

typedef struct {
  struct jpeg_error_mgr base;
  jmp_buf escape;
  roc_picture *picture;
  int hit_end;      // the reader asked for bytes after the last one
  int lacked_bits;  // and then had too few bits for a coefficient
} handler;

static void on_error(j_common_ptr info) {
  handler *self = (handler *)info->err;
  char text[JMSG_LENGTH_MAX];
  self->base.format_message(info, text);
  if (self->picture) roc_fail(self->picture, "%s", text);
  longjmp(self->escape, 1);
}

static void on_message(j_common_ptr info, int level) {
  handler *self = (handler *)info->err;
  if (level >= 0) return;
  self->base.num_warnings++;
  if (self->base.msg_code == JWRN_JPEG_EOF) self->hit_end = 1;
  if (self->base.msg_code == JWRN_HIT_MARKER && self->hit_end) self->lacked_bits = 1;
}

static uint8_t multiply(unsigned a, unsigned b) {
  const unsigned t = a * b + 128;
  return (uint8_t)(((t >> 8) + t) >> 8);
}

// Files with four colours hold inverted CMYK, as Adobe writes it.
static void from_cmyk(const uint8_t *row, size_t width, uint8_t *rgb) {
  for (size_t x = 0; x < width; x++) {
    const unsigned light = row[4 * x + 3];
    for (int c = 0; c < 3; c++)
      rgb[3 * x + c] = (uint8_t)(light - multiply(255u - row[4 * x + c], light));
  }
}

static void from_grey(const uint8_t *row, size_t width, uint8_t *rgb) {
  for (size_t x = 0; x < width; x++) memset(rgb + 3 * x, row[x], 3);
}

int roc_decode_jpeg(const uint8_t *bytes, size_t count, roc_picture *picture) {
  struct jpeg_decompress_struct info;
  handler errors = {.picture = picture};
  uint8_t *volatile row = NULL;
  memset(picture, 0, sizeof *picture);
  info.err = jpeg_std_error(&errors.base);
  errors.base.error_exit = on_error;
  errors.base.emit_message = on_message;
  if (setjmp(errors.escape)) {
    picture->truncated = errors.hit_end;
    goto failed;
  }
  jpeg_create_decompress(&info);
  jpeg_mem_src(&info, bytes, count);
  jpeg_read_header(&info, TRUE);
  if (info.num_components == 4)
    info.out_color_space = JCS_CMYK;
  else if (info.num_components == 1)
    info.out_color_space = JCS_GRAYSCALE;
  else if (info.num_components == 3)
    info.out_color_space = JCS_RGB;
  else {
    roc_fail(picture, "%d colour components, expected 1, 3 or 4", info.num_components);
    goto failed;
  }
  if (!roc_allocate(picture, info.image_width, info.image_height)) goto failed;
  const int has_scans = jpeg_has_multiple_scans(&info);
  jpeg_start_decompress(&info);
  const size_t width = info.output_width, components = (size_t)info.output_components;
  row = malloc(width * components);
  if (!row) {
    roc_fail(picture, "no memory for a row of %zu pixels", width);
    goto failed;
  }
  while (info.output_scanline < info.output_height) {
    uint8_t *rgb = picture->pixels + (size_t)info.output_scanline * width * 3;
    JSAMPROW target = components == 3 ? rgb : row;
    if (jpeg_read_scanlines(&info, &target, 1) != 1) break;
    if (components == 4) from_cmyk(row, width, rgb);
    if (components == 1) from_grey(row, width, rgb);
  }
  // A lost end marker is harmless in a sequential file, but may hide scans of a progressive one.
  if (errors.lacked_bits || (errors.hit_end && has_scans)) {
    picture->truncated = 1;
    roc_fail(picture, "the file is cut short");
    goto failed;
  }
  jpeg_finish_decompress(&info);
  jpeg_destroy_decompress(&info);
  free(row);
  return 1;

failed:
  jpeg_destroy_decompress(&info);
  free(row);
  free(picture->pixels);
  picture->pixels = NULL;
  return 0;
}

int roc_encode_jpeg(const uint8_t *pixels, size_t width, size_t height, int quality,
                    uint8_t **bytes, size_t *count) {
  struct jpeg_compress_struct info;
  handler errors = {0};
  unsigned char *buffer = NULL;
  unsigned long size = 0;
  info.err = jpeg_std_error(&errors.base);
  errors.base.error_exit = on_error;
  errors.base.emit_message = on_message;
  jpeg_create_compress(&info);
  if (setjmp(errors.escape)) {
    jpeg_destroy_compress(&info);
    return 0;
  }
  jpeg_mem_dest(&info, &buffer, &size);
  info.image_width = (JDIMENSION)width;
  info.image_height = (JDIMENSION)height;
  info.input_components = 3;
  info.in_color_space = JCS_RGB;
  jpeg_set_defaults(&info);
  jpeg_set_quality(&info, quality, TRUE);
  jpeg_start_compress(&info, TRUE);
  while (info.next_scanline < info.image_height) {
    JSAMPROW row = (JSAMPROW)(uintptr_t)(pixels + (size_t)info.next_scanline * width * 3);
    jpeg_write_scanlines(&info, &row, 1);
  }
  jpeg_finish_compress(&info);
  jpeg_destroy_compress(&info);
  *bytes = buffer;
  *count = size;
  return 1;
}
