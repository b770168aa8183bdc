// The little of the C library that kernels and their checks use, on a machine without a system.
// There is one thread; memory is taken back all at once, by `release`.
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

FILE *stderr, *stdout;

extern char image_end[];
enum { HEAP = 1 << 30 };
static size_t used;

static void out(unsigned short port, unsigned char value) {
  __asm__ volatile("outb %0, %1" ::"a"(value), "Nd"(port));
}

static unsigned char in(unsigned short port) {
  unsigned char value;
  __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
  return value;
}

// To the first serial port, once the last byte has left it.
static void write_text(const char *text) {
  out(0x3FB, 3);  // 8 bits a byte
  for (; *text; text++) {
    out(0x3F8, (unsigned char)*text);
    while (!(in(0x3FD) & 0x40)) continue;
  }
}

// The emulator ends when this word is written to its port.
_Noreturn void exit(int code) {
  write_text(code ? "emulator: failed\n" : "emulator: passed\n");
  for (const char *c = "Shutdown"; *c; c++) out(0x8900, (unsigned char)*c);
  for (;;) __asm__ volatile("hlt");
}

_Noreturn void abort(void) { exit(1); }

static void *take(size_t alignment, size_t bytes) {
  size_t start = ((size_t)image_end + used + alignment - 1) / alignment * alignment;
  used = start - (size_t)image_end + bytes;
  if (used > HEAP) {
    write_text("no memory\n");
    exit(1);
  }
  return (void *)start;
}

void *malloc(size_t bytes) { return take(64, bytes); }
void *aligned_alloc(size_t alignment, size_t bytes) { return take(alignment, bytes); }
void *calloc(size_t count, size_t size) { return memset(take(64, count * size), 0, count * size); }
void free(void *memory) { (void)memory; }

// What was taken so far, and taking back all that came after.
size_t taken(void) { return used; }
void release(size_t before) { used = before; }

// Without the attribute the loops would be recognised and call themselves.
#define PLAIN __attribute__((no_builtin))
PLAIN void *memcpy(void *to, const void *from, size_t count) {
  char *t = to;
  for (const char *f = from; count > 0; count--) *t++ = *f++;
  return to;
}
PLAIN void *memmove(void *to, const void *from, size_t count) {
  char *t = to;
  const char *f = from;
  if (t <= f) return memcpy(to, from, count);
  while (count-- > 0) t[count] = f[count];
  return to;
}
PLAIN void *memset(void *to, int value, size_t count) {
  for (char *t = to; count > 0; count--) *t++ = (char)value;
  return to;
}
PLAIN int strcmp(const char *a, const char *b) {
  for (; *a && *a == *b; a++, b++) continue;
  return (unsigned char)*a - (unsigned char)*b;
}
PLAIN size_t strlen(const char *text) {
  size_t count = 0;
  while (text[count]) count++;
  return count;
}

PLAIN int bcmp(const void *a, const void *b, size_t count) {
  const char *x = a, *y = b;
  for (; count > 0; count--)
    if (*x++ != *y++) return 1;
  return 0;
}
int memcmp(const void *a, const void *b, size_t count) { return bcmp(a, b, count); }

float sqrtf(float x) {
  __asm__("sqrtss %0, %0" : "+x"(x));
  return x;
}
double sqrt(double x) {
  __asm__("sqrtsd %0, %0" : "+x"(x));
  return x;
}
float fmaxf(float a, float b) { return a > b || b != b ? a : b; }
float fminf(float a, float b) { return a < b || b != b ? a : b; }
// For magnitudes below 2^22, as the kernels' are.
float rintf(float x) {
  volatile float shifted = x + 12582912.0f;
  return shifted - 12582912.0f;
}

static int print(const char *format, va_list arguments) {
  char one[2] = {0, 0};
  for (; *format; format++) {
    if (*format != '%') {
      one[0] = *format;
      write_text(one);
      continue;
    }
    format++;
    if (*format == 's') {
      write_text(va_arg(arguments, const char *));
      continue;
    }
    const int base = *format == 'x' ? 16 : 10;
    unsigned long value = *format == 'x' ? va_arg(arguments, unsigned long)
                                         : (unsigned long)va_arg(arguments, int);
    char digits[24], *at = digits + sizeof digits - 1;
    *at = 0;
    do *--at = "0123456789abcdef"[value % (unsigned)base];
    while ((value /= (unsigned)base) > 0);
    write_text(at);
  }
  return 0;
}
int printf(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  print(format, arguments);
  va_end(arguments);
  return 0;
}
int fprintf(FILE *file, const char *format, ...) {
  (void)file;
  va_list arguments;
  va_start(arguments, format);
  print(format, arguments);
  va_end(arguments);
  return 0;
}

// A team of one never starts, wakes or waits.
int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                   void *context) {
  (void)thread, (void)attributes, (void)run, (void)context;
  abort();
}
int pthread_join(pthread_t thread, void **result) { (void)thread, (void)result; abort(); }
#define NOTHING(name, type, ...) \
  int name(type *it __VA_ARGS__) { (void)it; return 0; }
NOTHING(pthread_mutex_lock, pthread_mutex_t)
NOTHING(pthread_mutex_unlock, pthread_mutex_t)
NOTHING(pthread_mutex_destroy, pthread_mutex_t)
NOTHING(pthread_cond_broadcast, pthread_cond_t)
NOTHING(pthread_cond_destroy, pthread_cond_t)
int pthread_mutex_init(pthread_mutex_t *it, const pthread_mutexattr_t *attributes) {
  (void)it, (void)attributes;
  return 0;
}
int pthread_cond_init(pthread_cond_t *it, const pthread_condattr_t *attributes) {
  (void)it, (void)attributes;
  return 0;
}
int pthread_cond_wait(pthread_cond_t *it, pthread_mutex_t *mutex) {
  (void)it, (void)mutex;
  abort();
}
int sched_yield(void) { return 0; }
int sched_getaffinity(pid_t id, size_t size, cpu_set_t *set) {
  (void)id, (void)size, (void)set;
  return -1;
}
int __sched_cpucount(size_t size, const cpu_set_t *set) {
  (void)size, (void)set;
  return 1;
}
long sysconf(int name) { (void)name; return 1; }
