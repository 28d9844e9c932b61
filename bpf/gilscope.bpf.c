// SPDX-License-Identifier: GPL-2.0-only
//
// The programs. Each sched tracepoint has two with one body: one attached through BTF, and a raw
// twin for kernels without that; the loader picks (userspace/tracer/programs.cpp). An untracked
// task costs one comparison; account.h has what tracked ones cost, docs/architecture.md why the
// lock path has no probe. Real programs are traced by programs of their own: subject_programs.h.
#include <linux/bpf.h>
#include <stdbool.h>

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "bpf/account.h"
#include "bpf/kernel.h"
#include "bpf/maps.h"

char LICENSE[] SEC("license") = "GPL";

// --- run by a thread of the worker on itself (BPF_PROG_TEST_RUN) --------------------------------

// This gives the kernel's own tid, whatever the PID namespace. The programs may be preempted, so
// each takes effect by one store.
//
// Other CPUs go on switching between the reading of the clock and that store. If the edge were the
// time that was read, a switch in between would fall on its wrong side, and the CPU's account of
// the window would no longer add up (seen in emulated guests). Edges are therefore announced ahead
// of time (by ctx[0] ns), and one that is announced too late all the same records by how much.

static __always_inline void announced(__u64 edge) {
  __u64 now = bpf_ktime_get_ns();
  if (now > edge && now - edge > window.late_ns) window.late_ns = now - edge;
}

SEC("raw_tp")
int open_window(__u64* ctx) {
  window.worker_tgid = bpf_get_current_pid_tgid() >> 32;
  __u64 edge = bpf_ktime_get_ns() + ctx[0];
  window.open_ns = edge;
  announced(edge);
  return 0;
}

SEC("raw_tp")
int close_window(__u64* ctx) {
  __u64 edge = bpf_ktime_get_ns() + ctx[0];
  window.close_ns = edge;
  announced(edge);
  return 0;
}

SEC("raw_tp")
int enter(__u64* ctx) {
  __u32 slot = ctx[0];
  __u32 tid = bpf_get_current_pid_tgid();
  struct gilscope_thread* thread = bpf_map_lookup_elem(&threads, &slot);
  struct gilscope_slot* on_board = bpf_map_lookup_elem(&board, &slot);
  if (!thread || !on_board || thread->active) return -1;
  __u64* of_tid = bpf_map_lookup_elem(&slot_of_tid, &tid);
  if (!of_tid) return -1;
  *of_tid = slot + 1;

  __u32 cpu = bpf_get_smp_processor_id();
  thread->tid = tid;
  thread->counted = *on_board;
  thread->cpu = cpu;
  thread->running = 1;
  thread->entered_ns = bpf_ktime_get_ns();
  thread->segment = (struct gilscope_segment){
      .run_ns = thread->entered_ns,
      .thread = slot,
      .cpu = cpu,
      .previous_cpu = GILSCOPE_NO_CPU,
      .waker_cpu = GILSCOPE_NO_CPU,
      .placed_cpu = GILSCOPE_NO_CPU,
      .began = GILSCOPE_BEGAN_ENTERED,
  };
  __sync_fetch_and_add(&window.entered, 1);
  thread->active = 1;  // from here on the sched programs know the thread
  return 0;
}

static __always_inline void leave_at_next_switch(__u32 tid, bool exited) {
  struct gilscope_thread* thread = thread_of(tid);
  if (!thread || thread->leave_ns) return;
  thread->exited = exited;
  thread->leave_ns = bpf_ktime_get_ns();
}

SEC("raw_tp")
int leave(__u64* ctx) {
  (void)ctx;
  leave_at_next_switch((__u32)bpf_get_current_pid_tgid(), false);
  return 0;
}

// --- sched_switch -------------------------------------------------------------------------------

static __always_inline int on_switch(bool btf, bool preempt, struct task_struct* prev,
                                     struct task_struct* next, __u32 prev_state) {
  __u32 worker = window.worker_tgid;
  __u32 prev_tgid = TASK_READ(btf, prev, tgid);
  __u32 next_tgid = TASK_READ(btf, next, tgid);
  __u32 prev_tid = TASK_READ(btf, prev, pid);
  __u32 next_tid = TASK_READ(btf, next, pid);
  __u32 cpu = bpf_get_smp_processor_id();
  struct gilscope_cpu* per_cpu = per_cpu_of(cpu);
  if (unlikely(!per_cpu)) return 0;
  __u64 now = bpf_ktime_get_ns();

  __u32 occupant = known_occupant(per_cpu, prev_tgid, prev_tid);
  struct gilscope_thread* thread = NULL;
  if (prev_tgid == worker && worker) {
    thread = thread_of(prev_tid);
    occupant = GILSCOPE_HARNESS;
  }
  if (thread) {
    __u64 exec = TASK_READ(btf, prev, se.sum_exec_runtime);
    int voluntary = gilscope_voluntary(preempt, prev_state);
    // A thread that was about to sleep does not if a signal is pending: the kernel has set its
    // state back to 0 (__schedule). A waker cannot have done that: it needs the run queue, or waits
    // until the thread is off the CPU (try_to_wake_up).
    int asleep = voluntary && task_state(btf, prev) != 0;
    if (unlikely(!thread->running)) open_unseen_segment(thread, per_cpu, cpu, now, exec);
    close_segment(false, thread, per_cpu, per_cpu, cpu, now, voluntary, asleep, exec, NULL);
  } else {
    count_occupant(per_cpu, occupant, now);
  }

  occupant = next_tgid ? GILSCOPE_FOREIGN : GILSCOPE_IDLE;
  if (next_tgid == worker && worker) {
    occupant = GILSCOPE_HARNESS;
    per_cpu->since_exec = TASK_READ(btf, next, se.sum_exec_runtime);
    thread = thread_of(next_tid);
    if (thread) {
      occupant = GILSCOPE_THREAD;
      open_segment(false, thread, per_cpu, 0, cpu, now, &thread->waking.last);
    }
  }
  per_cpu->since_ns = now;
  per_cpu->tid = next_tid;
  per_cpu->occupant = occupant;
  return 0;
}

SEC("?tp_btf/sched_switch")
int sched_switch_btf(__u64* ctx) {
  struct task_struct* prev = (void*)ctx[1];
  return on_switch(true, ctx[0], prev, (void*)ctx[2],
                   has_prev_state ? ctx[3] : task_state(true, prev));
}

SEC("?raw_tp/sched_switch")
int sched_switch_raw(__u64* ctx) {
  struct task_struct* prev = (void*)ctx[1];
  return on_switch(false, ctx[0], prev, (void*)ctx[2],
                   has_prev_state ? ctx[3] : task_state(false, prev));
}

// --- sched_waking: on the waker's CPU, before the kernel has chosen where to put the thread -----

static __always_inline int on_waking(bool btf, struct task_struct* task) {
  if ((__u32)TASK_READ(btf, task, tgid) != window.worker_tgid) return 0;
  struct gilscope_thread* thread = thread_of(TASK_READ(btf, task, pid));
  if (thread) note_waking(thread, bpf_ktime_get_ns());
  return 0;
}

SEC("?tp_btf/sched_waking")
int sched_waking_btf(__u64* ctx) {
  return on_waking(true, (void*)ctx[0]);
}

SEC("?raw_tp/sched_waking")
int sched_waking_raw(__u64* ctx) {
  return on_waking(false, (void*)ctx[0]);
}

// --- sched_wakeup_new: a thread of the worker starts --------------------------------------------

// Threads that never enter are not traced; the report says how many there were.

static __always_inline int on_wakeup_new(bool btf, struct task_struct* task) {
  if ((__u32)TASK_READ(btf, task, tgid) != window.worker_tgid) return 0;
  if (window.close_ns == GILSCOPE_NEVER) __sync_fetch_and_add(&window.started, 1);
  return 0;
}

SEC("?tp_btf/sched_wakeup_new")
int sched_wakeup_new_btf(__u64* ctx) {
  return on_wakeup_new(true, (void*)ctx[0]);
}

SEC("?raw_tp/sched_wakeup_new")
int sched_wakeup_new_raw(__u64* ctx) {
  return on_wakeup_new(false, (void*)ctx[0]);
}

// --- sched_migrate_task: the only place where the kernel's placement can be seen ----------------

static __always_inline int on_migrate(bool btf, struct task_struct* task, __u32 to) {
  if ((__u32)TASK_READ(btf, task, tgid) != window.worker_tgid) return 0;
  struct gilscope_thread* thread = thread_of(TASK_READ(btf, task, pid));
  if (thread) note_move(btf, false, task, thread, 0, to);
  return 0;
}

SEC("?tp_btf/sched_migrate_task")
int sched_migrate_task_btf(__u64* ctx) {
  return on_migrate(true, (void*)ctx[0], ctx[1]);
}

SEC("?raw_tp/sched_migrate_task")
int sched_migrate_task_raw(__u64* ctx) {
  return on_migrate(false, (void*)ctx[0], ctx[1]);
}

// --- sched_process_exit: runs as the dying thread, whose slot no longer changes -----------------

static __always_inline int on_exit(bool btf, struct task_struct* task) {
  if ((__u32)TASK_READ(btf, task, tgid) != window.worker_tgid) return 0;
  leave_at_next_switch(TASK_READ(btf, task, pid), true);
  return 0;
}

SEC("?tp_btf/sched_process_exit")
int sched_process_exit_btf(__u64* ctx) {
  return on_exit(true, (void*)ctx[0]);
}

SEC("?raw_tp/sched_process_exit")
int sched_process_exit_raw(__u64* ctx) {
  return on_exit(false, (void*)ctx[0]);
}

#include "bpf/subject_programs.h"
