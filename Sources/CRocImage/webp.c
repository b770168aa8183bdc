#include <stdlib.h>
#include <string.h>

#include <webp/decode.h>
#include <webp/demux.h>

#include "internal.h"

// The first frame on its canvas, as Pillow opens still and animated files alike.
int roc_decode_webp(const uint8_t *bytes, size_t count, roc_picture *picture) {
  memset(picture, 0, sizeof *picture);
  WebPBitstreamFeatures features;
  const VP8StatusCode status = WebPGetFeatures(bytes, count, &features);
  if (status == VP8_STATUS_NOT_ENOUGH_DATA) {
    picture->truncated = 1;
    return roc_fail(picture, "the file is cut short");
  }
  if (status != VP8_STATUS_OK) return roc_fail(picture, "not a WebP stream (status %d)", status);
  if (!roc_allocate(picture, (size_t)features.width, (size_t)features.height)) return 0;
  const WebPData data = {bytes, count};
  WebPAnimDecoderOptions options;
  WebPAnimDecoderOptionsInit(&options);
  options.color_mode = MODE_RGBA;
  WebPAnimDecoder *decoder = WebPAnimDecoderNew(&data, &options);
  WebPAnimInfo info;
  uint8_t *canvas = NULL;
  int timestamp = 0;
  if (decoder && WebPAnimDecoderGetInfo(decoder, &info) && info.canvas_width == picture->width &&
      info.canvas_height == picture->height &&
      WebPAnimDecoderGetNext(decoder, &canvas, &timestamp)) {
    for (size_t i = 0; i < picture->width * picture->height; i++)
      memcpy(picture->pixels + 3 * i, canvas + 4 * i, 3);
  } else {
    picture->truncated = decoder == NULL;
    roc_fail(picture, decoder ? "a frame that does not decode" : "the file is cut short");
    free(picture->pixels);
    picture->pixels = NULL;
  }
  WebPAnimDecoderDelete(decoder);
  return picture->pixels != NULL;
}
