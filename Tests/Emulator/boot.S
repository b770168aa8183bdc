// From GRUB's 32-bit protected mode to C in 64-bit mode with AVX-512 switched on: nothing of an
// operating system is between the emulator and the kernels.
.set MAGIC, 0x1BADB002
.set FLAGS, 0x00000003

.section .multiboot, "a"
.align 4
.long MAGIC, FLAGS, -(MAGIC + FLAGS)

.bss
.align 4096
tables: .skip 2 * 4096
.align 64
stack: .skip 16 << 20
stack_end:
thread: .skip 4096          // thread-local data ends at thread_end; there is one thread
thread_end: .skip 64

.data
.align 16
descriptors:
.quad 0, 0x00209A0000000000, 0x0000920000000000  // null, 64-bit code, data
descriptors_end:
descriptor_pointer: .word descriptors_end - descriptors - 1
.long descriptors, 0

.text
.code32
.globl start
start:
  cli
  // 4 GiB mapped to themselves in pages of 1 GiB.
  movl $tables + 4096 + 3, tables
  movl $tables + 4096, %edi
  movl $0x83, %eax
  movl $4, %ecx
1: movl %eax, (%edi)
  addl $0x40000000, %eax
  addl $8, %edi
  loop 1b
  movl $tables, %eax
  movl %eax, %cr3
  movl %cr4, %eax
  orl $0x40620, %eax          // PAE, OSFXSR, OSXMMEXCPT, OSXSAVE
  movl %eax, %cr4
  movl $0xC0000080, %ecx      // EFER: long mode
  rdmsr
  orl $0x100, %eax
  wrmsr
  movl %cr0, %eax
  andl $0xFFFFFFF3, %eax      // no emulation of the FPU, no lazy switching
  orl $0x80000003, %eax       // paging, MP
  movl %eax, %cr0
  lgdt descriptor_pointer
  ljmp $8, $long_mode

.code64
long_mode:
  movw $16, %ax
  movw %ax, %ds
  movw %ax, %es
  movw %ax, %ss
  xorl %ecx, %ecx
  xorl %edx, %edx
  movl $0xE7, %eax            // x87, SSE, AVX, masks, both halves of ZMM
  xsetbv
  movl $0xC0000100, %ecx      // FS: thread-local data
  movl $thread_end, %eax
  xorl %edx, %edx
  wrmsr
  movl $thread_end, %eax
  movq %rax, thread_end
  leaq stack_end(%rip), %rsp
  xorl %ebp, %ebp
  call run
1: hlt
  jmp 1b

// An instruction the emulator does not know. The interrupted function's registers are put where
// `emulate` finds them, and taken from there afterwards.
.globl invalid_opcode
invalid_opcode:
  pushq %rax; pushq %rcx; pushq %rdx; pushq %rbx; pushq %rsp; pushq %rbp; pushq %rsi; pushq %rdi
  pushq %r8; pushq %r9; pushq %r10; pushq %r11; pushq %r12; pushq %r13; pushq %r14; pushq %r15
  leaq vectors(%rip), %rax
  .irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
  vmovdqu64 %zmm\n, 64*\n(%rax)
  .endr
  movq %rsp, %rdi
  movq %rsp, %rbx
  andq $-64, %rsp
  cld
  call emulate
  movq %rbx, %rsp
  leaq vectors(%rip), %rax
  .irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
  vmovdqu64 64*\n(%rax), %zmm\n
  .endr
  popq %r15; popq %r14; popq %r13; popq %r12; popq %r11; popq %r10; popq %r9; popq %r8
  popq %rdi; popq %rsi; popq %rbp; addq $8, %rsp; popq %rbx; popq %rdx; popq %rcx; popq %rax
  iretq

// Any other exception ends the run.
.globl fault
fault:
  movq 8(%rsp), %rsi
  movq (%rsp), %rdi
  andq $-64, %rsp
  call failed
