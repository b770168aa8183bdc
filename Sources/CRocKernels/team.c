// A team of threads that claim tiles.
//
// Caller and workers take tiles by compare-and-swap from one word (job | tiles | next), so a late
// worker finds nothing left and the caller never waits for a thread that has not begun. Workers
// stay awake for a short spin between jobs, since waking a thread costs about 50 µs on a virtual
// machine and a forward pass has thousands of small jobs; then they sleep.
#define _GNU_SOURCE  // sched_getaffinity
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "CRocKernels.h"

enum { SPINS = 2000, FIELD = 20 };
static const uint64_t MASK = (1u << FIELD) - 1;

struct roc_team {
  _Atomic uint64_t claim;  // job << 40 | tiles << 20 | next
  _Atomic size_t done;
  _Atomic(roc_work) work;
  _Atomic(void *) context;
  _Atomic int sleeping;
  _Atomic int ending;
  pthread_mutex_t turn, gate;
  pthread_cond_t awake;
  size_t threads;
  pthread_t *handles;
};

typedef struct {
  roc_team *team;
  size_t index;
} worker;

static inline void relax(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

static inline uint64_t job_of(uint64_t claim) { return claim >> (2 * FIELD); }

// Takes tiles until none is left.
static void claim_tiles(roc_team *team, size_t index) {
  uint64_t claim = atomic_load_explicit(&team->claim, memory_order_acquire);
  while ((claim & MASK) < ((claim >> FIELD) & MASK)) {
    // A successful exchange proves that the job is still the one whose work was read.
    roc_work work = atomic_load_explicit(&team->work, memory_order_relaxed);
    void *context = atomic_load_explicit(&team->context, memory_order_relaxed);
    if (atomic_compare_exchange_weak_explicit(&team->claim, &claim, claim + 1,
                                              memory_order_acq_rel, memory_order_acquire)) {
      work(context, claim & MASK, index);
      atomic_fetch_add_explicit(&team->done, 1, memory_order_release);
      claim = atomic_load_explicit(&team->claim, memory_order_acquire);
    }
  }
}

static void *serve(void *argument) {
  worker self = *(worker *)argument;
  free(argument);
  roc_team *team = self.team;
  uint64_t seen = 0;
  while (!atomic_load_explicit(&team->ending, memory_order_acquire)) {
    uint64_t job = seen;
    for (int i = 0; i < SPINS && job == seen; i++) {
      relax();
      job = job_of(atomic_load_explicit(&team->claim, memory_order_acquire));
    }
    if (job == seen) {
      pthread_mutex_lock(&team->gate);
      atomic_fetch_add(&team->sleeping, 1);
      while (job_of(atomic_load(&team->claim)) == seen && !atomic_load(&team->ending))
        pthread_cond_wait(&team->awake, &team->gate);
      atomic_fetch_sub(&team->sleeping, 1);
      pthread_mutex_unlock(&team->gate);
      job = job_of(atomic_load(&team->claim));
    }
    seen = job;
    claim_tiles(team, self.index);
  }
  return NULL;
}

size_t roc_core_count(void) {
#if defined(__linux__)
  cpu_set_t mask;
  if (sched_getaffinity(0, sizeof mask, &mask) == 0 && CPU_COUNT(&mask) > 0)
    return (size_t)CPU_COUNT(&mask);
#endif
  const long online = sysconf(_SC_NPROCESSORS_ONLN);
  return online > 0 ? (size_t)online : 1;
}

roc_team *roc_team_create(size_t threads) {
  roc_team *team = calloc(1, sizeof *team);
  if (!team) return NULL;
  team->handles = calloc(threads ? threads : 1, sizeof(pthread_t));
  if (!team->handles) {
    free(team);
    return NULL;
  }
  pthread_mutex_init(&team->turn, NULL);
  pthread_mutex_init(&team->gate, NULL);
  pthread_cond_init(&team->awake, NULL);
  team->threads = 1;
  for (size_t i = 1; i < threads; i++) {
    worker *self = malloc(sizeof *self);
    if (self) *self = (worker){team, i};
    if (!self || pthread_create(&team->handles[i], NULL, serve, self) != 0) {
      free(self);
      roc_team_destroy(team);
      return NULL;
    }
    team->threads = i + 1;
  }
  return team;
}

void roc_team_destroy(roc_team *team) {
  pthread_mutex_lock(&team->gate);
  atomic_store(&team->ending, 1);
  pthread_cond_broadcast(&team->awake);
  pthread_mutex_unlock(&team->gate);
  for (size_t i = 1; i < team->threads; i++) pthread_join(team->handles[i], NULL);
  pthread_mutex_destroy(&team->turn);
  pthread_mutex_destroy(&team->gate);
  pthread_cond_destroy(&team->awake);
  free(team->handles);
  free(team);
}

size_t roc_team_size(const roc_team *team) { return team->threads; }

static void run_some(roc_team *team, size_t tiles, roc_work work, void *context) {
  atomic_store_explicit(&team->done, 0, memory_order_relaxed);
  atomic_store_explicit(&team->work, work, memory_order_relaxed);
  atomic_store_explicit(&team->context, context, memory_order_relaxed);
  const uint64_t job = job_of(atomic_load_explicit(&team->claim, memory_order_relaxed)) + 1;
  // Sequentially consistent: either the sleeper sees the new job or we see the sleeper.
  atomic_store(&team->claim, (job << (2 * FIELD)) | ((uint64_t)tiles << FIELD));
  if (atomic_load(&team->sleeping)) {
    pthread_mutex_lock(&team->gate);
    pthread_cond_broadcast(&team->awake);
    pthread_mutex_unlock(&team->gate);
  }
  claim_tiles(team, 0);
  // A worker may have been taken off its core in the middle of a tile.
  for (int spins = 0; atomic_load_explicit(&team->done, memory_order_acquire) < tiles; spins++) {
    if (spins < SPINS) relax();
    else sched_yield();
  }
}

static _Thread_local size_t gradient_slot;

size_t roc_gradient_slot(void) { return gradient_slot; }
void roc_set_gradient_slot(size_t slot) { gradient_slot = slot; }

typedef struct {
  roc_work work;
  void *context;
  size_t first;
} offset_work;

static void run_offset(void *context, size_t tile, size_t index) {
  const offset_work *part = context;
  part->work(part->context, part->first + tile, index);
}

void roc_team_run(roc_team *team, size_t tiles, roc_work work, void *context) {
  if (team->threads == 1 || tiles == 1) {
    for (size_t i = 0; i < tiles; i++) work(context, i, 0);
    return;
  }
  pthread_mutex_lock(&team->turn);
  for (size_t first = 0; first < tiles; first += MASK) {
    const size_t rest = tiles - first;
    offset_work part = {work, context, first};
    run_some(team, rest < MASK ? rest : MASK, run_offset, &part);
  }
  pthread_mutex_unlock(&team->turn);
}
