/* SPDX-License-Identifier: GPL-2.0-only
 *
 * The programs that trace real programs, in place of those of gilscope.bpf.c that trace a model's
 * worker. They follow processes and threads by themselves. An untracked task costs a look into two
 * tables.
 */
#ifndef GILSCOPE_BPF_SUBJECT_PROGRAMS_H
#define GILSCOPE_BPF_SUBJECT_PROGRAMS_H

#include "bpf/follow.h"

// Run by a process that is about to execute a real program: ctx[0] is its place in the table.
SEC("raw_tp")
int enrol(__u64* ctx) {
  __u32 place = ctx[0], tgid = bpf_get_current_pid_tgid() >> 32;
  struct gilscope_process* process = process_at(place);
  __u64* of_tgid = bpf_map_lookup_elem(&process_of_tgid, &tgid);
  if (!process || !of_tgid) return -1;
  process->tgid = tgid;
  process->state = GILSCOPE_PROCESS_TRACED;
  *of_tgid = place + 1;
  return 0;
}

// --- sched_switch -------------------------------------------------------------------------------

// The thread of a real program that is being switched out; NULL for anybody else. One that was not
// known yet is followed from here on.
static __always_inline struct gilscope_thread* subject_out(struct task_struct* prev, __u32 tgid,
                                                           __u32 tid, struct gilscope_cpu* per_cpu,
                                                           __u32 cpu, __u64 now) {
  struct gilscope_thread* thread = thread_of(tid);
  if (thread) return thread;
  __u32 place = 0;
  if (!traced_process(tgid, now, &place)) return NULL;
  __u64 from = per_cpu->occupant == GILSCOPE_UNKNOWN ? window.open_ns : per_cpu->since_ns;
  if (from < window.open_ns) from = window.open_ns;
  thread = follow_thread(prev, tid, place, cpu, from);
  if (!thread) return NULL;
  open_first_segment(thread, cpu, from);
  per_cpu->since_ns = from;
  per_cpu->since_exec = 0;
  return thread;
}

// How a thread was switched out.
#define VOLUNTARY 1
#define ASLEEP 2

static __always_inline void close_subject(bool btf, struct task_struct* task,
                                          struct gilscope_thread* thread,
                                          struct gilscope_cpu* per_cpu, __u64 now, __u32 how) {
  bool voluntary = how & VOLUNTARY, asleep = how & ASLEEP;
  __u64 exec = TASK_READ(btf, task, se.sum_exec_runtime);
  __u32 cpu = bpf_get_smp_processor_id();
  __u32 slot = thread->segment.thread;
  struct gilscope_waiter* waiter = waiter_of(slot);
  struct gilscope_process* process = waiter ? process_at(waiter->process) : NULL;
  if (!process) return;
  struct gilscope_cpu* account = account_of(true, waiter->process, cpu);
  if (!account) return;
  if (unlikely(!thread->running)) {
    open_unseen_segment_of(thread, per_cpu, waiter->process, now, exec);
  }
  // A dying thread has no memory left to look at; after the window's end nothing is counted.
  if (likely(!thread->leave_ns && now < window.close_ns && process->gil_count)) {
    if (watches_lock) {
      look_at_lock(thread, waiter, process, now, asleep);
    } else {
      look_at_thread(btf, task, slot, waiter, process, asleep, now);
    }
  } else {
    waiter->outcome = (struct gilscope_outcome){.gil_state = waiter->waiting ? GILSCOPE_WAITING
                                                                             : GILSCOPE_OUTSIDE};
  }
  GILSCOPE_FORGET();
  close_segment(true, thread, per_cpu, account, cpu, now, voluntary, asleep, exec,
                &waiter->outcome);
}

// Functions of their own, though called once: the verifier then forgets how it came to their ends,
// and does not go through the rest of the program for each way.
static __noinline void close_subject_btf(struct task_struct* task, struct gilscope_thread* thread,
                                         struct gilscope_cpu* per_cpu, __u64 now, __u32 how) {
  close_subject(true, task, thread, per_cpu, now, how);
}
static __noinline void close_subject_raw(struct task_struct* task, struct gilscope_thread* thread,
                                         struct gilscope_cpu* per_cpu, __u64 now, __u32 how) {
  close_subject(false, task, thread, per_cpu, now, how);
}

static __always_inline bool open_subject(struct task_struct* next, __u32 tgid, __u32 tid, __u32 cpu,
                                         __u64 now) {
  if (now >= window.close_ns) return false;
  struct gilscope_thread* thread = thread_of(tid);
  if (!thread) {
    __u32 place = 0;
    if (!traced_process(tgid, now, &place)) return false;
    thread = follow_thread(next, tid, place, cpu, now);
    if (!thread) return false;
  }
  if (thread->segment.cpu == GILSCOPE_NO_CPU) {
    open_first_segment(thread, cpu, now);
    return true;
  }
  struct gilscope_waiter* waiter = waiter_of(thread->segment.thread);
  if (!waiter) return false;
  struct gilscope_process* process = process_at(waiter->process);
  struct gilscope_cpu* account = account_of(true, waiter->process, cpu);
  if (!process || !account) return false;
  __u32 which = waiter->gil;
  if (which >= GILSCOPE_GILS) which = 0;
  if (watches_lock) {
    gilscope_lock_switch_in(waiter, &process->watches[0], thread->segment.run_ns, now);
  } else {
    gilscope_on_switch_in(waiter, process->watches[which].latest, thread->segment.run_ns,
                          process->gils[which].kind == GILSCOPE_GIL_FAST);
  }
  open_segment(true, thread, account, waiter->process, cpu, now, &thread->waking.last);
  return true;
}

static __noinline bool open_subject_of(struct task_struct* next, __u32 tgid, __u32 tid, __u32 cpu,
                                       __u64 now) {
  return open_subject(next, tgid, tid, cpu, now);
}

static __always_inline int on_switch_of(bool btf, bool preempt, struct task_struct* prev,
                                        struct task_struct* next, __u32 prev_state) {
  __u32 prev_tgid = TASK_READ(btf, prev, tgid);
  __u32 next_tgid = TASK_READ(btf, next, tgid);
  __u32 prev_tid = TASK_READ(btf, prev, pid);
  __u32 next_tid = TASK_READ(btf, next, pid);
  __u32 cpu = bpf_get_smp_processor_id();
  struct gilscope_cpu* per_cpu = per_cpu_of(cpu);
  if (unlikely(!per_cpu)) return 0;
  __u64 now = bpf_ktime_get_ns();

  struct gilscope_thread* thread = NULL;
  if (prev_tgid) thread = subject_out(prev, prev_tgid, prev_tid, per_cpu, cpu, now);
  __u32 occupant = known_occupant(per_cpu, prev_tgid, prev_tid);
  if (thread) {
    bool voluntary = gilscope_voluntary(preempt, prev_state);
    bool asleep = voluntary && task_state(btf, prev) != 0;
    __u32 how = (voluntary ? VOLUNTARY : 0) | (asleep ? ASLEEP : 0);
    if (btf) {
      close_subject_btf(prev, thread, per_cpu, now, how);
    } else {
      close_subject_raw(prev, thread, per_cpu, now, how);
    }
  } else {
    count_occupant(per_cpu, occupant, now);
  }

  occupant = next_tgid ? GILSCOPE_FOREIGN : GILSCOPE_IDLE;
  if (next_tgid && open_subject_of(next, next_tgid, next_tid, cpu, now)) {
    occupant = GILSCOPE_THREAD;
    per_cpu->since_exec = TASK_READ(btf, next, se.sum_exec_runtime);
  }
  per_cpu->since_ns = now;
  per_cpu->tid = next_tid;
  per_cpu->occupant = occupant;
  return 0;
}

SEC("?tp_btf/sched_switch")
int subject_switch_btf(__u64* ctx) {
  struct task_struct* prev = (void*)ctx[1];
  return on_switch_of(true, ctx[0], prev, (void*)ctx[2],
                      has_prev_state ? ctx[3] : task_state(true, prev));
}

SEC("?raw_tp/sched_switch")
int subject_switch_raw(__u64* ctx) {
  struct task_struct* prev = (void*)ctx[1];
  return on_switch_of(false, ctx[0], prev, (void*)ctx[2],
                      has_prev_state ? ctx[3] : task_state(false, prev));
}

// --- sched_waking, sched_migrate_task -----------------------------------------------------------

static __always_inline int on_waking_of(bool btf, struct task_struct* task) {
  __u32 tid = TASK_READ(btf, task, pid);
  struct gilscope_thread* thread = thread_of(tid);
  struct gilscope_waiter* waiter = thread ? waiter_of_tid(tid) : NULL;
  if (!waiter) return 0;
  __u64 now = bpf_ktime_get_ns();
  if (watches_lock) {
    note_lock_waking(waiter, TASK_READ(btf, task, tgid), now);
  } else {
    note_waking_of(waiter, TASK_READ(btf, task, tgid), now);
  }
  note_waking(thread, now);
  return 0;
}

SEC("?tp_btf/sched_waking")
int subject_waking_btf(__u64* ctx) {
  return on_waking_of(true, (void*)ctx[0]);
}

SEC("?raw_tp/sched_waking")
int subject_waking_raw(__u64* ctx) {
  return on_waking_of(false, (void*)ctx[0]);
}

static __always_inline int on_migrate_of(bool btf, struct task_struct* task, __u32 to) {
  struct gilscope_thread* thread = thread_of(TASK_READ(btf, task, pid));
  if (!thread || bpf_ktime_get_ns() >= window.close_ns) return 0;
  struct gilscope_waiter* waiter = waiter_of(thread->segment.thread);
  if (waiter) note_move(btf, true, task, thread, waiter->process, to);
  return 0;
}

SEC("?tp_btf/sched_migrate_task")
int subject_migrate_btf(__u64* ctx) {
  return on_migrate_of(true, (void*)ctx[0], ctx[1]);
}

SEC("?raw_tp/sched_migrate_task")
int subject_migrate_raw(__u64* ctx) {
  return on_migrate_of(false, (void*)ctx[0], ctx[1]);
}

// --- threads that start and exit ----------------------------------------------------------------

static __always_inline int on_start(bool btf, struct task_struct* task) {
  __u32 tgid = TASK_READ(btf, task, tgid), tid = TASK_READ(btf, task, pid), place = 0;
  __u64 now = bpf_ktime_get_ns();
  struct gilscope_process* process = traced_process(tgid, now, &place);
  if (!process) return 0;
  if (tid != tgid) __sync_fetch_and_add(&process->started, 1);
  if (!follow_thread(task, tid, place, bpf_get_smp_processor_id(), now)) {
    __sync_fetch_and_add(&window.started, 1);  // unless a place is free when it is next switched in
  }
  if (!process->gil_count) ring_doorbell(place);
  return 0;
}

SEC("?tp_btf/sched_wakeup_new")
int subject_start_btf(__u64* ctx) {
  return on_start(true, (void*)ctx[0]);
}

SEC("?raw_tp/sched_wakeup_new")
int subject_start_raw(__u64* ctx) {
  return on_start(false, (void*)ctx[0]);
}

// Runs as the dying thread.
static __always_inline int on_exit_of(bool btf, struct task_struct* task) {
  __u32 tgid = TASK_READ(btf, task, tgid);
  __u64* of_tgid = bpf_map_lookup_elem(&process_of_tgid, &tgid);
  if (likely(!of_tgid || !*of_tgid)) return 0;
  struct gilscope_process* process = process_at((__u32)*of_tgid - 1);
  if (process && BPF_CORE_READ(task, signal, live.counter) == 0) {  // its last thread
    process->state = GILSCOPE_PROCESS_ENDED;
    *of_tgid = 0;  // another process may get the number
    ring_doorbell(0);
  }
  leave_at_next_switch(TASK_READ(btf, task, pid), true);
  return 0;
}

SEC("?tp_btf/sched_process_exit")
int subject_exit_btf(__u64* ctx) {
  return on_exit_of(true, (void*)ctx[0]);
}

SEC("?raw_tp/sched_process_exit")
int subject_exit_raw(__u64* ctx) {
  return on_exit_of(false, (void*)ctx[0]);
}

// --- processes that are made, programs that are executed, names ---------------------------------

static __always_inline int on_fork(bool btf, struct task_struct* parent,
                                   struct task_struct* child) {
  __u32 tgid = TASK_READ(btf, child, tgid);
  if (tgid != (__u32)TASK_READ(btf, child, pid)) return 0;  // a thread
  __u32 place = place_of_tgid(TASK_READ(btf, parent, tgid));
  if (likely(!place)) return 0;
  const struct gilscope_process* from = process_at(place - 1);
  __u64* of_tgid = bpf_map_lookup_elem(&process_of_tgid, &tgid);
  __u32 at = 0;
  if (!from || !of_tgid || bpf_map_pop_elem(&free_processes, &at)) {
    __sync_fetch_and_add(&window.started, 1);
    return 0;
  }
  struct gilscope_process* process = process_at(at);
  if (!process) return 0;
  process->tgid = tgid;
  process->parent = place;
  // Its memory is a copy of its parent's, and its GIL at the same address.
  __builtin_memcpy(process->gils, from->gils, sizeof(process->gils));
  process->gil_count = from->gil_count;
  process->state = from->state;
  *of_tgid = at + 1;
  ring_doorbell(at + 1);
  return 0;
}

SEC("?tp_btf/sched_process_fork")
int subject_fork_btf(__u64* ctx) {
  return on_fork(true, (void*)ctx[0], (void*)ctx[1]);
}

SEC("?raw_tp/sched_process_fork")
int subject_fork_raw(__u64* ctx) {
  return on_fork(false, (void*)ctx[0], (void*)ctx[1]);
}

// A process that executes a program counts as another process from then on: its memory and its GIL
// are others. All its threads but one are gone; that one is traced anew from when it is next
// switched in.
static __always_inline int on_exec(bool btf, struct task_struct* task, __u32 old_tid) {
  __u32 tgid = TASK_READ(btf, task, tgid), place = place_of_tgid(tgid);
  if (likely(!place)) return 0;
  struct gilscope_process* process = process_at(place - 1);
  __u64* of_tgid = bpf_map_lookup_elem(&process_of_tgid, &tgid);
  __u32 at = 0;
  if (!process || !of_tgid) return 0;
  struct gilscope_process* next = NULL;
  if (!bpf_map_pop_elem(&free_processes, &at)) next = process_at(at);
  process->state = GILSCOPE_PROCESS_ENDED;
  *of_tgid = 0;
  leave_at_next_switch(old_tid, true);
  if (!next) {
    __sync_fetch_and_add(&window.started, 1);
    return 0;
  }
  next->tgid = tgid;
  next->parent = place;
  next->executed = 1;
  next->state = GILSCOPE_PROCESS_TRACED;
  *of_tgid = at + 1;
  ring_doorbell(at + 1);
  return 0;
}

SEC("?tp_btf/sched_process_exec")
int subject_exec_btf(__u64* ctx) {
  return on_exec(true, (void*)ctx[0], ctx[1]);
}

SEC("?raw_tp/sched_process_exec")
int subject_exec_raw(__u64* ctx) {
  return on_exec(false, (void*)ctx[0], ctx[1]);
}

static __always_inline int on_rename(bool btf, struct task_struct* task, const char* name) {
  struct gilscope_thread* thread = thread_of(TASK_READ(btf, task, pid));
  struct gilscope_waiter* waiter = thread ? waiter_of(thread->segment.thread) : NULL;
  if (waiter) bpf_probe_read_kernel_str(waiter->name, sizeof(waiter->name), name);
  return 0;
}

SEC("?tp_btf/task_rename")
int subject_rename_btf(__u64* ctx) {
  return on_rename(true, (void*)ctx[0], (const char*)ctx[1]);
}

SEC("?raw_tp/task_rename")
int subject_rename_raw(__u64* ctx) {
  return on_rename(false, (void*)ctx[0], (const char*)ctx[1]);
}

#endif /* GILSCOPE_BPF_SUBJECT_PROGRAMS_H */
