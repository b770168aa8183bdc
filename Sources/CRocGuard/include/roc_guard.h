#ifndef ROC_GUARD_H
#define ROC_GUARD_H

#include <stddef.h>

// From now on running out of memory, and mapped files that can no longer be read, end the process
// with a sentence and exit code 1 instead of a signal.
void roc_guard(void);

// Raises the limit on open files as far as this user may, and tries whether `count` more can be
// opened; 0 or the system's error number.
int roc_try_files(int count, long *limit);

#endif
