/* SPDX-License-Identifier: GPL-2.0-only
 *
 * The few kernel types that the programs read. CO-RE relocates offsets against the running kernel's
 * BTF, so only the names of the fields matter here.
 */
#ifndef GILSCOPE_BPF_KERNEL_H
#define GILSCOPE_BPF_KERNEL_H

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <linux/types.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct sched_entity {
  __u64 sum_exec_runtime; /* CPU time charged so far: what CLOCK_THREAD_CPUTIME_ID reads */
};

/* Of x86-64: where the kernel keeps a thread's pointer to its own control block. */
struct thread_struct {
  unsigned long fsbase;
};

#define GILSCOPE_PF_EXITING 4 /* PF_EXITING of include/linux/sched.h: it is dying */

/* Counts the threads of a process that have not exited. */
typedef struct {
  int counter;
} atomic_t;
struct signal_struct {
  atomic_t live;
};

struct task_struct {
  int pid;
  int tgid;
  unsigned int __state; /* called state, a long, before 5.14 (commit 2f064a59a11f) */
  struct sched_entity se;
  char comm[16];
  void* stack;
  struct thread_struct thread;
  struct signal_struct* signal;
  unsigned int flags;
};

/* The registers with which a thread entered the kernel: of x86-64. */
struct pt_regs {
  unsigned long r10, si, di, orig_ax, sp;
  unsigned long bx, bp, r12, r13, r14, r15, r8, r9;
};

struct task_struct___before_5_14 {
  long state;
};

#pragma clang attribute pop

/* A program attached through BTF follows pointers directly; its raw twin needs a helper. `btf` is a
 * constant at each inlined call, so only one branch remains. */
#define TASK_READ(btf, task, field) ((btf) ? (task)->field : BPF_CORE_READ(task, field))

static __always_inline __u32 task_state(bool btf, struct task_struct* task) {
  if (bpf_core_field_exists(task->__state)) return TASK_READ(btf, task, __state);
  struct task_struct___before_5_14* before = (void*)task;
  return (__u32)TASK_READ(btf, before, state);
}

/* A switch runs this once, with other code in the caches. The common path is therefore laid out as
 * one stretch, with rare branches apart. */
#define likely(condition) __builtin_expect(!!(condition), 1)
#define unlikely(condition) __builtin_expect(!!(condition), 0)

#endif /* GILSCOPE_BPF_KERNEL_H */
