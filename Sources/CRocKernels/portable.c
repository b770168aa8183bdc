// Any CPU: vectors of 4 floats, which the compiler maps to SSE2, NEON or plain code.
#define ROC_LANES 4
#define ROC_ROWS 4
#define ROC_VECTORS 2
#define ROC_BLOCK 8192
#define ROC_SET roc_kernels_portable
#define ROC_SET_NAME "portable"
#include "kernels.inc"
