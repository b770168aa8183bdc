// Chooses among the kernel sets; computes nothing.
#include <string.h>

#include "CRocKernels.h"

extern const roc_kernels roc_kernels_portable;
#if defined(__x86_64__)
extern const roc_kernels roc_kernels_avx2, roc_kernels_avx512, roc_kernels_avx512vnni,
    roc_kernels_avx512bf16;
#endif

static const roc_kernels *const sets[] = {
#if defined(__x86_64__)
    &roc_kernels_avx512bf16, &roc_kernels_avx512vnni, &roc_kernels_avx512, &roc_kernels_avx2,
#endif
    &roc_kernels_portable,
};
enum { SETS = sizeof(sets) / sizeof(sets[0]) };

#if defined(__x86_64__)
static int has_avx512(void) {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("fma");
}
#endif

static int runs(const roc_kernels *set) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (set == &roc_kernels_avx512bf16)
    return has_avx512() && __builtin_cpu_supports("avx512vnni") &&
           __builtin_cpu_supports("avx512bf16");
  if (set == &roc_kernels_avx512vnni) return has_avx512() && __builtin_cpu_supports("avx512vnni");
  if (set == &roc_kernels_avx512) return has_avx512();
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

static const roc_kernels *find(const char *name) {
  for (size_t i = 0; i < SETS; i++)
    if (strcmp(sets[i]->name, name) == 0) return sets[i];
  return NULL;
}

const roc_kernels *roc_kernels_named(const char *name) {
  const roc_kernels *set = find(name);
  return set && runs(set) ? set : NULL;
}

const char *roc_kernels_name(size_t i) { return i < SETS ? sets[i]->name : NULL; }

int roc_kernels_known(const char *name) { return find(name) != NULL; }

int roc_kernels_have_bf16(const roc_kernels *kernels) {
#if defined(__x86_64__)
  return kernels == &roc_kernels_avx512bf16;
#else
  (void)kernels;
  return 0;
#endif
}
