// What the checks of the kernels share with the programs that run them.
#ifndef ROC_CHECK_KERNELS_H
#define ROC_CHECK_KERNELS_H

#include "CRocKernels.h"

// Ends the program with `what` unless it holds.
void require(int holds, const char *what);
// Exactly as many floats as asked for, so that one too many is a heap overflow.
float *numbers(size_t count);
// Every kernel of a set against the portable ones, which the unit tests hold against sums in
// double. Differences end the program.
void check_kernels(roc_team *team, const roc_kernels *kernels);

#endif
