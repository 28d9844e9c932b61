/* SPDX-License-Identifier: GPL-2.0-only
 *
 * Real programs: which processes and threads are traced. Nobody registers them: a process is
 * followed from its fork, a thread from its start or, where it was there before, from its first
 * switch. Free places in the tables come from queues, which the user side fills: kernels
 * before 5.12 have no atomic operation that returns a number to a program.
 */
#ifndef GILSCOPE_BPF_FOLLOW_H
#define GILSCOPE_BPF_FOLLOW_H

#include "bpf/account.h"
#include "bpf/interpreter.h"
#include "bpf/lock_look.h"

static __always_inline bool window_is_open(__u64 now) {
  return now >= window.open_ns && now < window.close_ns;
}

static __always_inline void ring_doorbell(__u32 why) {
  bpf_ringbuf_output(&doorbell, &why, sizeof(why), BPF_RB_FORCE_WAKEUP);
}

/* The process with this tgid, if its threads are traced now, and its place in the table plus one.
 */
static __always_inline struct gilscope_process* traced_process(__u32 tgid, __u64 now,
                                                               __u32* place) {
  *place = place_of_tgid(tgid);
  if (likely(!*place) || !window_is_open(now)) return NULL;
  struct gilscope_process* process = process_at(*place - 1);
  return process && process->state == GILSCOPE_PROCESS_TRACED ? process : NULL;
}

/* Starts to trace a thread, which runs or is about to; NULL where there is no place left for it,
 * and for a dying one, which has left already and may still be switched in. Rare, so not inlined.
 */
static __noinline struct gilscope_thread* follow_thread(struct task_struct* task, __u32 tid,
                                                        __u32 place, __u32 cpu, __u64 now) {
  __u64* of_tid = bpf_map_lookup_elem(&slot_of_tid, &tid);
  __u32 slot = 0;
  if (BPF_CORE_READ(task, flags) & GILSCOPE_PF_EXITING) return NULL;
  if (!of_tid || bpf_map_pop_elem(&free_slots, &slot)) return NULL;
  struct gilscope_thread* thread = bpf_map_lookup_elem(&threads, &slot);
  struct gilscope_waiter* waiter = waiter_of(slot);
  if (!thread || !waiter) return NULL;
  __builtin_memset(waiter, 0, sizeof(*waiter));
  waiter->process = place - 1;
  bpf_probe_read_kernel_str(waiter->name, sizeof(waiter->name), task->comm);
  thread->tid = tid;
  thread->cpu = cpu;
  thread->entered_ns = now;
  thread->segment.thread = slot;
  thread->segment.cpu = GILSCOPE_NO_CPU;
  __sync_fetch_and_add(&window.entered, 1);
  thread->active = 1;
  *of_tid = slot + 1;
  return thread;
}

/* The thread that is being switched in, or is found on the CPU, begins its first segment there at
 * `from`. Nothing is known of how it came to run. */
static __always_inline void open_first_segment(struct gilscope_thread* thread, __u32 cpu,
                                               __u64 from) {
  struct gilscope_segment* segment = &thread->segment;
  segment->ready_ns = 0;
  segment->run_ns = from;
  segment->waker_tid = 0;
  segment->cpu = cpu;
  segment->previous_cpu = GILSCOPE_NO_CPU;
  segment->waker_cpu = GILSCOPE_NO_CPU;
  segment->placed_cpu = GILSCOPE_NO_CPU;
  segment->began = GILSCOPE_BEGAN_ENTERED;
  thread->asleep_ns = 0;
  thread->cpu = cpu;
  thread->running = 1;
}

#endif /* GILSCOPE_BPF_FOLLOW_H */
