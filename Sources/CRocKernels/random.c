// Reproducible noise for generated weights.
#include "CRocKernels.h"

// splitmix64's finaliser: neighbouring counters give unrelated bits.
static uint64_t mixed(uint64_t counter) {
  uint64_t z = counter * 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

// The sum of four bytes is nearly normal: mean 510, variance 4 (256² - 1) / 12.
static float sum_of_bytes(uint32_t word) {
  const uint32_t pairs = (word & 0x00ff00ffu) + (word >> 8 & 0x00ff00ffu);
  return (float)((int32_t)((pairs & 0xffffu) + (pairs >> 16)) - 510) * (1.0f / 147.80167f);
}

enum { STRETCH = 512, BLOCK = 1 << 16 };

typedef struct {
  uint64_t seed, first;
  size_t count;
  float deviation;
  roc_dtype dtype;
  char *out;
} filling;

static void fill_block(void *context, size_t block, size_t worker) {
  (void)worker;
  const filling *job = context;
  const size_t size = job->dtype == ROC_F32 ? 4 : 2;
  const size_t end = (block + 1) * BLOCK < job->count ? (block + 1) * BLOCK : job->count;
  float values[STRETCH];
  for (size_t start = block * BLOCK; start < end; start += STRETCH) {
    const size_t count = end - start < STRETCH ? end - start : STRETCH;
    for (size_t i = 0; i < count; i++) {
      const uint64_t index = job->first + start + i;
      const uint64_t bits = mixed(job->seed ^ (index / 2 + 1) * 0xd1342543de82ef95u);
      values[i] = sum_of_bytes((uint32_t)(index % 2 ? bits >> 32 : bits)) * job->deviation;
    }
    roc_narrow(values, job->dtype, count, job->out + start * size);
  }
}

void roc_fill_normal(roc_team *team, uint64_t seed, uint64_t first, size_t count, float deviation,
                     roc_dtype dtype, void *out) {
  filling job = {seed, first, count, deviation, dtype, out};
  roc_team_run(team, (count + BLOCK - 1) / BLOCK, fill_block, &job);
}
