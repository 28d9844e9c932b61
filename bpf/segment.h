/* SPDX-License-Identifier: GPL-2.0-only
 *
 * How a segment began, how it ended, and what its thread counted in it. Pure functions on the
 * contract's structures; compiles as C for BPF and as C++ for the tests.
 */
#ifndef GILSCOPE_BPF_SEGMENT_H
#define GILSCOPE_BPF_SEGMENT_H

#include "bpf/contract.h"

/* The kernel's own rule for nvcsw against nivcsw (kernel/sched/core.c, __schedule): a switch is
 * voluntary when the task was not preempted and had set a sleeping state. sched_yield is therefore
 * an involuntary switch, here as in getrusage. */
static inline int gilscope_voluntary(int preempt, __u32 task_state) {
  return !preempt && task_state != 0;
}

static inline __u8 gilscope_how_ended(int voluntary, __u32 gil_state) {
  if (!voluntary) return GILSCOPE_ENDED_PREEMPTED;
  return gil_state == GILSCOPE_WAITING ? GILSCOPE_ENDED_BLOCKED_GIL : GILSCOPE_ENDED_BLOCKED;
}

/* Takes from the slot how much its counters grew since the last call, which happened on the CPU
 * that the thread is being switched out of. */
static inline void gilscope_take_differences(struct gilscope_segment* segment,
                                             const struct gilscope_slot* now,
                                             struct gilscope_slot* counted) {
#define GIL(key, ...)                                  \
  do {                                                 \
    __u64 value = now->key;                            \
    segment->key = (__u32)value - (__u32)counted->key; \
    counted->key = value;                              \
  } while (0);
#define GIL_OF_THREAD(key, ...)
#include "bpf/numbers.def"
  counted->releases = now->releases;
  counted->state = now->state;
  segment->gil_state = (__u8)counted->state;
}

/* Woken, and asleep on the GIL again without having had it. */
static inline int gilscope_wasted_wakeup(const struct gilscope_segment* segment) {
  return segment->began == GILSCOPE_BEGAN_WOKEN && segment->ended == GILSCOPE_ENDED_BLOCKED_GIL &&
         segment->acquires == 0;
}

static inline int gilscope_holder_preempted(const struct gilscope_segment* segment) {
  return segment->ended == GILSCOPE_ENDED_PREEMPTED && segment->gil_state == GILSCOPE_HOLDING;
}

#endif /* GILSCOPE_BPF_SEGMENT_H */
