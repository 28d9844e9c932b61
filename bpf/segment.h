/* SPDX-License-Identifier: GPL-2.0-only
 *
 * What a segment was: how it began, how it ended, what it cost. Pure functions on the contract's
 * structures; compiles as C for BPF and as C++ for the tests.
 */
#ifndef GILSCOPE_BPF_SEGMENT_H
#define GILSCOPE_BPF_SEGMENT_H

#include "bpf/contract.h"

/* The kernel's own rule for nvcsw against nivcsw (kernel/sched/core.c, __schedule): a switch is
 * voluntary when the task was not preempted and had said that it would sleep. sched_yield is
 * therefore an involuntary switch, here as in getrusage. */
static inline int gilscope_voluntary(int preempt, __u32 task_state) {
  return !preempt && task_state != 0;
}

static inline __u8 gilscope_how_ended(int voluntary, __u32 gil_state) {
  if (!voluntary) return GILSCOPE_ENDED_PREEMPTED;
  return gil_state == GILSCOPE_WAITING ? GILSCOPE_ENDED_BLOCKED_GIL : GILSCOPE_ENDED_BLOCKED;
}

static inline int gilscope_slept(__u8 ended) {
  return ended == GILSCOPE_ENDED_BLOCKED_GIL || ended == GILSCOPE_ENDED_BLOCKED;
}

/* A thread that slept and was woken began by the wakeup. One that went to sleep and is back without
 * a waking was never taken off the run queue (a signal was pending): it was runnable throughout. */
static inline __u8 gilscope_how_began(__u8 last_ended, __u32 woken) {
  return gilscope_slept(last_ended) && woken ? GILSCOPE_BEGAN_WOKEN : GILSCOPE_BEGAN_PREEMPTED;
}

/* At sched_wakeup: `cpu` is where the kernel has put it. */
static inline void gilscope_take_wakeup(struct gilscope_waking* waking, __u8 running,
                                        __u8 last_ended, __u16 cpu) {
  __u16 again = waking->next.pending;
  waking->next.pending = 0;
  if (running || !gilscope_slept(last_ended)) {
    /* It had said that it would sleep, and was woken before it did, while it ran or was preempted.
     */
    waking->waker.pending = 0;
    return;
  }
  if (again && !waking->waker.pending) {
    /* It ran unseen and was switched out between the second waking and now: it slept again. */
    waking->waker = waking->next;
    waking->waker.pending = 1;
    waking->placed_cpu = GILSCOPE_NO_CPU;
  }
  if (waking->placed_cpu == GILSCOPE_NO_CPU) waking->placed_cpu = cpu;
}

/* What the slot's counters grew by since they were last looked at, which is what happened on the
 * core that the thread has just been switched out of. */
static inline void gilscope_take_differences(struct gilscope_segment* segment,
                                             const struct gilscope_slot* now,
                                             const struct gilscope_slot* counted) {
  segment->gil_state = (__u8)now->state;
  segment->acquires = (__u32)(now->acquires - counted->acquires);
  segment->contended = (__u32)(now->contended - counted->contended);
  segment->woken_lost = (__u32)(now->woken_lost - counted->woken_lost);
  segment->timed_out = (__u32)(now->timed_out - counted->timed_out);
  segment->drop_requests = (__u32)(now->drop_requests - counted->drop_requests);
}

/* Woken, and back to sleep on the GIL with nothing to show for it. */
static inline int gilscope_wasted_wakeup(const struct gilscope_segment* segment) {
  return segment->began == GILSCOPE_BEGAN_WOKEN && segment->ended == GILSCOPE_ENDED_BLOCKED_GIL &&
         segment->acquires == 0;
}

static inline int gilscope_holder_preempted(const struct gilscope_segment* segment) {
  return segment->ended == GILSCOPE_ENDED_PREEMPTED && segment->gil_state == GILSCOPE_HOLDING;
}

#endif /* GILSCOPE_BPF_SEGMENT_H */
