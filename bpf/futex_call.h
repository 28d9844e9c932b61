/* SPDX-License-Identifier: GPL-2.0-only
 *
 * The system call that the current thread is in, as far as it concerns futexes: from the registers
 * with which it entered the kernel.
 */
#ifndef GILSCOPE_BPF_FUTEX_CALL_H
#define GILSCOPE_BPF_FUTEX_CALL_H

#include "bpf/kernel.h"
#include "bpf/process.h"

#define GILSCOPE_SYS_FUTEX 202 /* x86-64 */
#define GILSCOPE_FUTEX_WAIT 0
#define GILSCOPE_FUTEX_WAIT_BITSET 9
#define GILSCOPE_FUTEX_COMMAND 0x7f
#define GILSCOPE_FUTEX_CLOCK_REALTIME 256

#ifdef __TARGET_ARCH_x86
/* KASAN doubles the kernel's stacks, and has no business on a machine that measures. */
#define GILSCOPE_STACK_BYTES (4 * 4096)

/* Kernels before 5.15 have no helper for it: the registers lie at the upper end of the task's stack
 * (task_pt_regs in arch/x86/include/asm/processor.h). */
static __always_inline void current_call(struct gilscope_call* call) {
  call->futex = false;
  if (bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_task_pt_regs)) {
    struct pt_regs* regs = (void*)bpf_task_pt_regs(bpf_get_current_task_btf());
    if (likely(regs->orig_ax != GILSCOPE_SYS_FUTEX)) return;
    call->address = regs->di;
    call->operation = regs->si;
    call->timeout = regs->r10;
    call->stack = regs->sp;
  } else {
    struct task_struct* task = (void*)bpf_get_current_task();
    struct pt_regs* regs =
        BPF_CORE_READ(task, stack) + GILSCOPE_STACK_BYTES - bpf_core_type_size(struct pt_regs);
    if (likely(BPF_CORE_READ(regs, orig_ax) != GILSCOPE_SYS_FUTEX)) return;
    call->address = BPF_CORE_READ(regs, di);
    call->operation = BPF_CORE_READ(regs, si);
    call->timeout = BPF_CORE_READ(regs, r10);
    call->stack = BPF_CORE_READ(regs, sp);
  }
  call->futex = true;
}

static __always_inline __u64 thread_pointer(bool btf, struct task_struct* task) {
  return TASK_READ(btf, task, thread.fsbase);
}
#else
/* Elsewhere the registers have other names; the loader refuses. */
static __always_inline void current_call(struct gilscope_call* call) {
  call->futex = false;
}
static __always_inline __u64 thread_pointer(bool btf, struct task_struct* task) {
  return 0;
}
#endif

static __always_inline bool waits_by_futex(const struct gilscope_call* call) {
  __u32 command = call->operation & GILSCOPE_FUTEX_COMMAND;
  return command == GILSCOPE_FUTEX_WAIT || command == GILSCOPE_FUTEX_WAIT_BITSET;
}

#endif /* GILSCOPE_BPF_FUTEX_CALL_H */
