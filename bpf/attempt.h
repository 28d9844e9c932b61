/* SPDX-License-Identifier: GPL-2.0-only
 *
 * The rules by which a real program's failed attempts to get the GIL are told from what can be seen
 * when its threads are switched out and woken: which futex a thread sleeps on, and the GIL's own
 * words. Pure functions; compiles as C for BPF and as C++ for the tests.
 *
 * A thread that goes to sleep for the GIL has failed to get it. If it has slept for it before, it
 * either lost again (woken_lost, timed_out), or had the GIL in between, let it go and found it
 * taken anew (contended). Signs that it had it: it was seen as the last holder; it woke a thread
 * that slept for the GIL, which only who lets go does; it woke one that waits for the forced
 * switch, which only who takes it does; 2.7: its tick counter moved. A sign that it had not: the
 * holder has changed less than twice since it ran again. 2.7 does not count that: there it is that
 * the thread was never seen to release the GIL but at a tick, and there was none. With neither the
 * kind is undecided. docs/interpreters.md has how often that happens, and the witnesses.
 */
#ifndef GILSCOPE_BPF_ATTEMPT_H
#define GILSCOPE_BPF_ATTEMPT_H

#include "bpf/process.h"

static inline __u8 gilscope_place_of(const struct gilscope_gil* gil, __u64 address) {
  __u64 at = address - gil->condition;
  if (gil->kind == GILSCOPE_GIL_SEMAPHORE) {
    return at < GILSCOPE_SEMAPHORE_BYTES ? GILSCOPE_AT_GIL : GILSCOPE_AT_ANOTHER;
  }
  if (gil->condition && at < GILSCOPE_CONDITION_BYTES) {
    return at - gil->signals_at < 8 ? GILSCOPE_AT_GIL : GILSCOPE_AT_RELEASE;
  }
  if (gil->mutex && address - gil->mutex < GILSCOPE_MUTEX_BYTES) return GILSCOPE_AT_MUTEX;
  if (gil->switch_condition && address - gil->switch_condition < GILSCOPE_CONDITION_BYTES) {
    return GILSCOPE_AT_SWITCH;
  }
  if (gil->switch_mutex && address - gil->switch_mutex < GILSCOPE_MUTEX_BYTES) {
    return GILSCOPE_AT_SWITCH_MUTEX;
  }
  return GILSCOPE_AT_ANOTHER;
}

/* Words that no GIL of this kind can have mean that the address is wrong. */
static inline int gilscope_plausible(const struct gilscope_gil* gil,
                                     const struct gilscope_words* words) {
  if (words->locked < -1 || words->locked > 1) return 0;
  if (words->holder & 7) return 0;
  /* The last holder stays there when nobody holds it. */
  if (gil->kind == GILSCOPE_GIL_CONDITION && !words->holder && words->locked >= 0) return 0;
  if (gil->interval_at != GILSCOPE_NOWHERE &&
      (words->interval == 0 || words->interval > GILSCOPE_LONGEST_INTERVAL)) {
    return 0;
  }
  return 1;
}

/* Adds a look to what is known of the GIL. The condition of a forked child is made anew: its count
 * of waits starts over, below what the parent's was. `own_wait`: the looking thread goes to sleep
 * in a wait that has begun already, and is counted in the words. */
static inline void gilscope_note_words(struct gilscope_gil_watch* watch,
                                       const struct gilscope_words* words, int own_wait,
                                       __u64 now) {
  if (!watch->first_ns) {
    watch->first_ns = now;
    watch->first_waits = words->waits - (own_wait ? 1 : 0);
    watch->last_waits = words->waits;
    watch->latest = words->number;
  }
  if (words->waits < watch->first_waits) {
    watch->first_waits = 0;
    watch->last_waits = words->waits;
    watch->latest = words->number;
  }
  if (words->waits > watch->last_waits) watch->last_waits = words->waits;
  if (words->number > watch->latest) watch->latest = words->number;
}

/* It goes to sleep for the GIL. */
static inline void gilscope_failed_attempt(struct gilscope_waiter* waiter,
                                           const struct gilscope_sight* sight, int queued,
                                           struct gilscope_outcome* outcome) {
  int had = waiter->had || sight->ticked;
  outcome->slept_for_gil = 1;
  outcome->gil_state = GILSCOPE_WAITING;
  if (waiter->waiting && !had && queued && waiter->slept == GILSCOPE_AT_MUTEX) {
    outcome->seen |= GILSCOPE_SEEN_SAME_WAIT; /* woken, and the mutex was taken again */
  } else if (!waiter->waiting && sight->began_ns && sight->began_ns < sight->first_ns) {
    outcome->seen |= GILSCOPE_SEEN_SAME_WAIT; /* begun before anything was counted */
  } else if (!waiter->waiting) {
    outcome->contended = 1;
  } else if (sight->deadline && sight->deadline == waiter->deadline) {
    outcome->seen |= GILSCOPE_SEEN_SAME_WAIT;
  } else if (had) {
    outcome->contended = 1;
    outcome->acquired = 1;
  } else if (sight->unnumbered || sight->number >= waiter->reference + 2) {
    outcome->seen |= GILSCOPE_SEEN_UNDECIDED;
  } else if (waiter->woken_by == GILSCOPE_WOKEN_TIMER) {
    outcome->timed_out = 1;
  } else {
    outcome->woken_lost = 1;
  }
  if (queued && !(outcome->seen & GILSCOPE_SEEN_SAME_WAIT)) outcome->queue_wait = 1;
  waiter->waiting = 1;
  if (waiter->had) waiter->had = 0;
  waiter->deadline = sight->deadline;
  waiter->realtime = sight->realtime;
}

/* A thread is switched out. */
static inline struct gilscope_outcome gilscope_on_switch_out(struct gilscope_waiter* waiter,
                                                             const struct gilscope_sight* sight) {
  struct gilscope_outcome outcome = {};
  int asleep = sight->asleep;
  outcome.gil_state = sight->mine ? GILSCOPE_HOLDING : GILSCOPE_OUTSIDE;
  if (asleep && sight->place == GILSCOPE_AT_GIL) {
    gilscope_failed_attempt(waiter, sight, 0, &outcome);
  } else if (asleep && sight->place == GILSCOPE_AT_MUTEX && sight->queues) {
    outcome.seen |= GILSCOPE_SEEN_MUTEX_SLEEP;
    gilscope_failed_attempt(waiter, sight, 1, &outcome);
  } else if (asleep && sight->place == GILSCOPE_AT_MUTEX) {
    /* Before a wait, after one, or to let go: whether it waits stays as it is. */
    outcome.seen |= GILSCOPE_SEEN_MUTEX_SLEEP;
    if (waiter->waiting && !sight->mine) outcome.gil_state = GILSCOPE_WAITING;
  } else {
    if (asleep && sight->place == GILSCOPE_AT_RELEASE) outcome.seen |= GILSCOPE_SEEN_RELEASE_STALL;
    /* Whoever has it, or sleeps for anything else, waits no more. */
    if (waiter->waiting && (asleep || sight->mine)) {
      outcome.acquired = 1;
      waiter->waiting = 0;
    }
    if (!sight->mine && (waiter->waiting || (asleep && sight->place == GILSCOPE_AT_SWITCH))) {
      outcome.gil_state = GILSCOPE_WAITING;
    }
  }
  waiter->slept = asleep ? sight->place : GILSCOPE_AT_NOTHING;
  if (waiter->asleep_for_gil != outcome.slept_for_gil) {
    waiter->asleep_for_gil = outcome.slept_for_gil;
  }
  return outcome;
}

/* It runs again. A waking out of a sleep for the mutex, or no sleep at all, changes nothing of why
 * its last sleep for the GIL ended. */
static inline void gilscope_on_switch_in(struct gilscope_waiter* waiter, __u64 latest,
                                         __u64 last_run_ns, int queues) {
  if (waiter->asleep_for_gil) waiter->asleep_for_gil = 0;
  if (waiter->slept == GILSCOPE_AT_GIL || (queues && waiter->slept == GILSCOPE_AT_MUTEX)) {
    waiter->reference = latest;
    waiter->woken_by = waiter->woken_ns >= last_run_ns ? waiter->woken : GILSCOPE_WOKEN_UNSEEN;
    if (waiter->slept == GILSCOPE_AT_GIL) waiter->slept = GILSCOPE_AT_NOTHING;
  }
}

/* It is woken at `now`; `wakes` is the place of the futex on which its waker, a thread of the same
 * process, calls for threads to be woken, else GILSCOPE_AT_NOTHING. A waker that wakes by futex is
 * looked at before the deadline, since it may be late. */
static inline __u8 gilscope_woken_by(const struct gilscope_waiter* waiter, __u8 wakes, __u64 now) {
  if (wakes == GILSCOPE_AT_GIL) return GILSCOPE_WOKEN_GIL;
  if (wakes != GILSCOPE_AT_NOTHING) return GILSCOPE_WOKEN_OTHERWISE;
  if (!waiter->deadline) return GILSCOPE_WOKEN_OTHERWISE;
  /* A deadline of CLOCK_REALTIME cannot be told from here: glibc before 2.30 waits by it. */
  if (waiter->realtime || now >= waiter->deadline) return GILSCOPE_WOKEN_TIMER;
  return GILSCOPE_WOKEN_OTHERWISE;
}

/* Whether a waking can matter to the rules although its waker calls for nobody: a timer may ring
 * while the thread is still on its way to sleep. */
static inline int gilscope_waking_matters(const struct gilscope_waiter* waiter, __u64 now) {
  const __u64 near_ns = 1000000;
  return waiter->asleep_for_gil || now - waiter->deadline + near_ns < 2 * near_ns;
}

#endif /* GILSCOPE_BPF_ATTEMPT_H */
