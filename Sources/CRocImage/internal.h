#ifndef CROCIMAGE_INTERNAL_H
#define CROCIMAGE_INTERNAL_H

#include "CRocImage.h"

// Records why a picture failed; returns 0.
int roc_fail(roc_picture *picture, const char *format, ...) __attribute__((format(printf, 2, 3)));
// Sets the size and allocates the pixels; 0 with a message for a size out of bounds.
int roc_allocate(roc_picture *picture, size_t width, size_t height);

#endif
