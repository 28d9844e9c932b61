/* SPDX-License-Identifier: GPL-2.0-only
 *
 * Who woke a thread, and whether that ended a sleep. Pure functions; compiles as C for BPF and as
 * C++ for the tests.
 */
#ifndef GILSCOPE_BPF_WAKING_H
#define GILSCOPE_BPF_WAKING_H

#include "bpf/counters.h"

/* A thread that slept runs again because of the last waking: a woken thread is not woken again
 * before it has run. A last waking from before the thread's last segment means that the waking was
 * not seen; the thread then counts as runnable throughout. */
static inline __u8 gilscope_how_began(__u64 asleep_ns, __u64 last_run_ns, __u64 woken_ns) {
  return asleep_ns && woken_ns >= last_run_ns ? GILSCOPE_BEGAN_WOKEN : GILSCOPE_BEGAN_PREEMPTED;
}

/* Called at sched_waking, when it is not known yet whether the waking ends a sleep: the waker may
 * find the thread on its way to sleep, and either stops it there or comes too late and wakes it.
 * The switches tell. */
static inline void gilscope_note_waking(struct gilscope_waking* waking,
                                        struct gilscope_waker waker) {
  waking->before = waking->last;
  waking->last = waker;
}

/* The waker of a thread whose switch-in at about `came_ns` was not seen. If the thread has been
 * woken again since, it is the waker before the last, unless that one dates from before the
 * thread's last segment. */
static inline const struct gilscope_waker* gilscope_waker_of_unseen(
    const struct gilscope_waking* waking, __u64 last_run_ns, __u64 came_ns) {
  int again = waking->last.woken_ns > came_ns && waking->before.woken_ns >= last_run_ns;
  return again ? &waking->before : &waking->last;
}

#endif /* GILSCOPE_BPF_WAKING_H */
