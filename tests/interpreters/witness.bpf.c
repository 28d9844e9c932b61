/* SPDX-License-Identifier: GPL-2.0-only
 *
 * The witness of the tests with real interpreters: every futex wait for the GIL with its result,
 * and the interpreter's own calls into glibc, by probes on the lock's path. It is slow, and shares
 * no code with what it is held against.
 */
#include "tests/interpreters/witness.bpf.h"

#include <linux/bpf.h>
#include <stdbool.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "GPL";

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct pt_regs {
  unsigned long r10, ax, si, di, orig_ax;
};
struct thread_struct {
  unsigned long fsbase;
};
struct task_struct {
  int pid, tgid;
  unsigned int __state;
  struct thread_struct thread;
};
#pragma clang attribute pop

const volatile struct witness_place place = {};

struct state {
  __u64 futex;     /* that the thread is waiting on, by its system call; 0: none */
  __u64 condition; /* whose pthread_cond_timedwait it is in */
  __u32 slept;
  __u32 reserved;
};
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 65536);
  __type(key, __u32);
  __type(value, struct state);
} states SEC(".maps");
struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 64 << 20);
} events SEC(".maps");
__u64 lost = 0;

#define SYS_FUTEX 202

static __always_inline void tell(__u32 what, __u32 thread, __u64 address, __s32 result,
                                 __u32 slept) {
  struct witness_event* event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
  if (!event) {
    __sync_fetch_and_add(&lost, 1);
    return;
  }
  event->at_ns = bpf_ktime_get_ns();
  event->address = address;
  event->thread = thread;
  event->result = result;
  event->what = what;
  event->slept = slept;
  bpf_ringbuf_submit(event, BPF_RB_NO_WAKEUP);
}

static __always_inline bool is_gils(__u64 address) {
  return (place.condition && address - place.condition < 48) ||
         (place.mutex && address - place.mutex < 40) ||
         (place.switch_condition && address - place.switch_condition < 48) ||
         (place.switch_mutex && address - place.switch_mutex < 40) ||
         (place.semaphore && address - place.semaphore < 32);
}

/* The state of the thread that is current, if it is one of the process's. */
static __always_inline struct state* mine(__u32* thread) {
  __u64 id = bpf_get_current_pid_tgid();
  if (id >> 32 != place.tgid) return NULL;
  *thread = (__u32)id;
  struct state* state = bpf_map_lookup_elem(&states, thread);
  if (state) return state;
  struct state none = {};
  bpf_map_update_elem(&states, thread, &none, BPF_NOEXIST);
  return bpf_map_lookup_elem(&states, thread);
}

SEC("tp_btf/sys_enter")
int futex_entered(__u64* ctx) {
  __u32 thread;
  if (ctx[1] != SYS_FUTEX) return 0;
  struct state* state = mine(&thread);
  if (!state) return 0;
  struct pt_regs* regs = (void*)ctx[0];
  __u32 operation = regs->si & 0x7f;
  /* FUTEX_WAIT, FUTEX_WAIT_BITSET. */
  state->futex = (operation == 0 || operation == 9) && is_gils(regs->di) ? regs->di : 0;
  state->slept = 0;
  return 0;
}

SEC("tp_btf/sys_exit")
int futex_left(__u64* ctx) {
  __u32 thread;
  struct pt_regs* regs = (void*)ctx[0];
  if (regs->orig_ax != SYS_FUTEX) return 0;
  struct state* state = mine(&thread);
  if (!state || !state->futex) return 0;
  tell(WITNESS_FUTEX, thread, state->futex, (__s32)ctx[1], state->slept);
  state->futex = 0;
  return 0;
}

static __always_inline bool holds(struct task_struct* task) {
  __u32 locked = 1;
  __u64 holder = 0, thread = 0;
  if (!place.holder) return false;
  if (place.locked && bpf_probe_read_user(&locked, sizeof(locked), (void*)place.locked))
    return false;
  if (locked != 1) return false;
  if (bpf_probe_read_user(&holder, sizeof(holder), (void*)place.holder) || !holder) return false;
  if (place.holder_is_thread) return holder == task->thread.fsbase;
  if (bpf_probe_read_user(&thread, sizeof(thread), (void*)(holder + place.thread_id_at)))
    return false;
  return thread == task->thread.fsbase;
}

SEC("tp_btf/sched_switch")
int switched(__u64* ctx) {
  bool preempted = ctx[0];
  struct task_struct* task = (void*)ctx[1];
  if ((__u32)task->tgid != place.tgid) return 0;
  __u32 thread = task->pid;
  if (preempted || !ctx[3] || !task->__state) {
    if (holds(task)) tell(WITNESS_PREEMPTED, thread, 0, 0, 0);
    return 0;
  }
  struct state* state = bpf_map_lookup_elem(&states, &thread);
  if (!state || !state->futex) return 0;
  state->slept++;
  tell(WITNESS_SLEPT, thread, state->futex, 0, 0);
  return 0;
}

/* A function's first argument. */
static __always_inline __u64 argument(struct pt_regs* regs) {
  __u64 value = 0;
  bpf_core_read(&value, sizeof(value), &regs->di);
  return value;
}

static __always_inline __s32 returned(struct pt_regs* regs) {
  __u64 value = 0;
  bpf_core_read(&value, sizeof(value), &regs->ax);
  return (__s32)value;
}

SEC("uprobe")
int timedwait(struct pt_regs* regs) {
  __u32 thread;
  __u64 condition = argument(regs);
  if (!place.condition || condition != place.condition) return 0;
  struct state* state = mine(&thread);
  if (!state) return 0;
  state->condition = condition;
  tell(WITNESS_WAIT, thread, condition, 0, 0);
  return 0;
}

SEC("uretprobe")
int timedwait_returned(struct pt_regs* regs) {
  __u32 thread;
  struct state* state = mine(&thread);
  if (!state || !state->condition) return 0;
  tell(WITNESS_WAITED, thread, state->condition, returned(regs), 0);
  state->condition = 0;
  return 0;
}

SEC("uprobe")
int signalled(struct pt_regs* regs) {
  __u32 thread;
  __u64 condition = argument(regs);
  if (!place.condition || condition != place.condition) return 0;
  if (mine(&thread)) tell(WITNESS_SIGNAL, thread, condition, 0, 0);
  return 0;
}

SEC("uprobe")
int semaphore(struct pt_regs* regs) {
  __u32 thread;
  __u64 address = argument(regs);
  if (!place.semaphore || address != place.semaphore) return 0;
  if (mine(&thread)) tell(WITNESS_SEMAPHORE, thread, address, 0, 0);
  return 0;
}

SEC("uprobe")
int take(struct pt_regs* regs) {
  __u32 thread;
  (void)regs;
  if (mine(&thread)) tell(WITNESS_TAKE, thread, 0, 0, 0);
  return 0;
}

SEC("uretprobe")
int taken(struct pt_regs* regs) {
  __u32 thread;
  (void)regs;
  if (mine(&thread)) tell(WITNESS_TAKEN, thread, 0, 0, 0);
  return 0;
}
