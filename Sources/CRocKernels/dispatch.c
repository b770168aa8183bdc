// Chooses among the kernel sets; computes nothing.
#include <string.h>

#include "CRocKernels.h"

extern const roc_kernels roc_kernels_portable;
#if defined(__x86_64__)
extern const roc_kernels roc_kernels_avx2, roc_kernels_avx512;
#endif

static const roc_kernels *const sets[] = {
#if defined(__x86_64__)
    &roc_kernels_avx512,
    &roc_kernels_avx2,
#endif
    &roc_kernels_portable,
};
enum { SETS = sizeof(sets) / sizeof(sets[0]) };

static int runs(const roc_kernels *set) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (set == &roc_kernels_avx512)
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("fma");
  if (set == &roc_kernels_avx2)
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#endif
  return set == &roc_kernels_portable;
}

const roc_kernels *roc_kernels_best(void) {
  for (size_t i = 0; i < SETS; i++)
    if (runs(sets[i])) return sets[i];
  return &roc_kernels_portable;
}

const roc_kernels *roc_kernels_named(const char *name) {
  for (size_t i = 0; i < SETS; i++)
    if (strcmp(sets[i]->name, name) == 0) return runs(sets[i]) ? sets[i] : NULL;
  return NULL;
}

int roc_kernels_known(const char *name) {
  for (size_t i = 0; i < SETS; i++)
    if (strcmp(sets[i]->name, name) == 0) return 1;
  return 0;
}
