// Runs the checks of the AVX-512 kernels, as the compiler made them, on an emulated processor.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../Sanitize/kernels.h"

extern void (*init_begin[])(void), (*init_end[])(void);
extern char invalid_opcode[], fault[];
extern const roc_kernels roc_kernels_avx512bf16;
extern unsigned long emulated_instructions;
size_t taken(void);
void release(size_t before);

// Interrupt descriptors: exception 6 is an unknown instruction.
static struct {
  unsigned short low, selector, flags, middle;
  unsigned high, zero;
} gates[32] __attribute__((aligned(16)));

static void set_gates(void) {
  for (int i = 0; i < 32; i++) {
    const size_t at = (size_t)(i == 6 ? invalid_opcode : fault);
    gates[i].low = (unsigned short)at, gates[i].middle = (unsigned short)(at >> 16);
    gates[i].selector = 8, gates[i].flags = 0x8E00;
  }
  struct __attribute__((packed)) {
    unsigned short limit;
    void *base;
  } pointer = {sizeof gates - 1, gates};
  __asm__ volatile("lidt %0" ::"m"(pointer));
}

void failed(unsigned long first, unsigned long second) {
  printf("an exception at %x or %x\n", first, second);
  exit(1);
}

void run(void) {
  set_gates();
  for (void (**each)(void) = init_begin; each < init_end; each++) (*each)();
  roc_team *team = roc_team_create(1);
  const size_t before = taken();
  static const char *const names[] = {"avx2", "avx512", "avx512vnni"};
  for (int i = 0; i < 3; i++) {
    const roc_kernels *kernels = roc_kernels_named(names[i]);
    if (!kernels) {
      printf("the emulated processor has no %s\n", names[i]);
      exit(1);
    }
    check_kernels(team, kernels);
    printf("checked: %s\n", names[i]);
    release(before);
  }
  // No emulated processor has vdpbf16ps; `emulate` does what it does.
  check_kernels(team, &roc_kernels_avx512bf16);
  printf("checked: avx512bf16, vdpbf16ps carried out %d times\n", (int)emulated_instructions);
  if (emulated_instructions == 0) exit(1);
  exit(0);
}
