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

/* A thread that went to sleep is back because it was woken, and the last waking was it: a woken
 * thread is not woken again before it has run. One from before its last segment began was not; then
 * none was seen, and it counts as runnable throughout. */
static inline __u8 gilscope_how_began(__u64 asleep_ns, __u64 last_run_ns, __u64 woken_ns) {
  return asleep_ns && woken_ns >= last_run_ns ? GILSCOPE_BEGAN_WOKEN : GILSCOPE_BEGAN_PREEMPTED;
}

/* At sched_waking. What it ends is not known yet: a waker may find the thread on its way to sleep,
 * and either stops it there or comes too late and wakes it up. The switches tell. */
static inline void gilscope_note_waking(struct gilscope_waking* waking,
                                        struct gilscope_waker waker) {
  waking->before = waking->last;
  waking->last = waker;
}

/* Who woke a thread that came at about `came_ns`, and was not seen to: if it has been woken again
 * since then, the one before, unless that is from before its last segment began. */
static inline const struct gilscope_waker* gilscope_waker_of_unseen(
    const struct gilscope_waking* waking, __u64 last_run_ns, __u64 came_ns) {
  int again = waking->last.woken_ns > came_ns && waking->before.woken_ns >= last_run_ns;
  return again ? &waking->before : &waking->last;
}

/* What the slot's counters grew by since they were last looked at, which is what happened on the
 * core that the thread has just been switched out of; and looks at them. */
static inline void gilscope_take_differences(struct gilscope_segment* segment,
                                             const struct gilscope_slot* now,
                                             struct gilscope_slot* counted) {
#define GILSCOPE_TAKE(field)                               \
  do {                                                     \
    __u64 value = now->field;                              \
    segment->field = (__u32)value - (__u32)counted->field; \
    counted->field = value;                                \
  } while (0)
  GILSCOPE_TAKE(acquires);
  GILSCOPE_TAKE(contended);
  GILSCOPE_TAKE(woken_lost);
  GILSCOPE_TAKE(timed_out);
  GILSCOPE_TAKE(drop_requests);
#undef GILSCOPE_TAKE
  counted->releases = now->releases;
  counted->state = now->state;
  segment->gil_state = (__u8)counted->state;
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
