// What a Swift program cannot do itself when the machine is scarce: the Swift runtime ends a
// process by a signal when memory runs out, and libdispatch waits for ever for a thread that the
// system does not give.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "roc_guard.h"

static void say(const char *text) {
  size_t count = strlen(text);
  while (count > 0) {
    ssize_t done = write(2, text, count);
    if (done <= 0) return;
    text += done;
    count -= (size_t)done;
  }
}

// A number without printf, which may allocate.
static void say_number(unsigned long value) {
  char digits[24];
  size_t place = sizeof digits - 1;
  digits[place] = 0;
  do digits[--place] = (char)('0' + value % 10);
  while (value /= 10);
  say(digits + place);
}

// Ends the process; only what a signal handler may call.
static void end_without_memory(const char *what) {
  struct rlimit limit;
  say("\nError: ");
  say(what);
  if (getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) {
    say(": this process may use ");
    say_number((unsigned long)(limit.rlim_cur >> 20));
    say(" MB of address space (ulimit -v)");
  }
  say("; give it more. What was stored so far stays.\n");
  _exit(1);
}

static const int watched[] = {SIGABRT, SIGBUS, SIGILL, SIGSEGV, SIGTRAP};
static struct sigaction before[sizeof watched / sizeof *watched];

static void on_crash(int number, siginfo_t *info, void *context) {
  (void)info, (void)context;
  // Allocators leave it behind, and nothing else runs between them and the crash.
  if (errno == ENOMEM) end_without_memory("out of memory");
  if (number == SIGBUS) {
    say("\nError: a file that is mapped into memory could not be read: it became shorter, or its "
        "disk failed. What was stored so far stays.\n");
    _exit(1);
  }
  // Anything else is an error in the program: whoever was there before tells where.
  for (size_t i = 0; i < sizeof watched / sizeof *watched; i++)
    if (watched[i] == number) sigaction(number, &before[i], NULL);
  raise(number);
}

void roc_guard(void) {
  static atomic_flag is_done = ATOMIC_FLAG_INIT;
  if (atomic_flag_test_and_set(&is_done)) return;
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_sigaction = on_crash;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigemptyset(&action.sa_mask);
  for (size_t i = 0; i < sizeof watched / sizeof *watched; i++)
    sigaction(watched[i], &action, &before[i]);
}

int roc_try_files(int count, long *limit) {
  struct rlimit files;
  *limit = -1;
  if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
    rlim_t most = files.rlim_max < 65536 ? files.rlim_max : 65536;
    if (files.rlim_cur < most) {
      files.rlim_cur = most;
      setrlimit(RLIMIT_NOFILE, &files);
      getrlimit(RLIMIT_NOFILE, &files);
    }
    *limit = (long)files.rlim_cur;
  }
  int opened[64];
  int done = 0, code = 0;
  while (done < count && done < 64 && code == 0) {
    opened[done] = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (opened[done] < 0) code = errno; else done++;
  }
  while (done > 0) close(opened[--done]);
  return code == EMFILE || code == ENFILE ? code : 0;
}

#if defined(__linux__)
// libdispatch calls this while the system gives it no thread or no memory, and would go on for ever.
// A shortage that passes within ten seconds does no harm.
unsigned int sleep(unsigned int seconds) {
  static _Atomic int times;
  Dl_info caller;
  const int is_dispatch = dladdr(__builtin_return_address(0), &caller) && caller.dli_fname &&
                          strstr(caller.dli_fname, "libdispatch");
  if (is_dispatch && atomic_fetch_add(&times, 1) >= 10)
    end_without_memory("a thread could not be started: memory or processes (ulimit -u) are short");
  struct timespec time = {.tv_sec = seconds, .tv_nsec = 0};
  while (nanosleep(&time, &time) != 0 && errno == EINTR) {
  }
  return 0;
}
#endif
