// Two callers share a team of three; ThreadSanitizer watches.
#include <pthread.h>
#include <stdio.h>

#include "CRocKernels.h"

static roc_team *team;

static void count(void *context, size_t tile, size_t worker) {
  (void)worker;
  ((int *)context)[tile]++;
}

static void *call(void *argument) {
  for (int round = 0; round < 2000; round++) roc_team_run(team, 17, count, argument);
  return NULL;
}

int main(void) {
  static int counts[2][17];
  team = roc_team_create(3);
  if (!team) return 1;
  pthread_t other;
  if (pthread_create(&other, NULL, call, counts[1]) != 0) return 1;
  call(counts[0]);
  pthread_join(other, NULL);
  roc_team_destroy(team);
  for (int i = 0; i < 34; i++)
    if (counts[i / 17][i % 17] != 2000) {
      fprintf(stderr, "team: tile %d ran %d times\n", i % 17, counts[i / 17][i % 17]);
      return 1;
    }
  printf("team: done\n");
  return 0;
}
