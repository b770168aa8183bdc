// What this machine can do at most, measured in the same run as everything else.
#ifndef CPEAK_H
#define CPEAK_H

#include <stddef.h>

// Float operations of `rounds` rounds of independent fused multiply-adds on one thread.
double peak_flops(size_t rounds);
// Reads `count` floats once; returns a sum so that nothing is optimised away.
float peak_read(const float *values, size_t count);

#endif
