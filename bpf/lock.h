/* SPDX-License-Identifier: GPL-2.0-only
 *
 * The rules by which failed attempts to get a lock of glibc's that is no GIL are told from what can
 * be seen when its threads are switched out and woken: which futex a thread sleeps on, and the
 * lock's own words. Pure functions; compiles as C for BPF and as C++ for the tests.
 *
 * A thread that goes to sleep for the lock has failed to get it. If it has slept for it before, it
 * either lost again (woken_lost, timed_out), or had the lock in between, let it go and found it
 * taken anew (contended). Signs that it had it: it was seen as the owner; it woke a thread that
 * slept for the lock, which only who lets go does; it sleeps with other registers, so that it has
 * left the call in which it slept before. Signs that it had not: it sleeps until the same deadline,
 * so it is in the same call; or another thread slept for the lock all the while, which it would
 * have woken, since a thread that had to wait takes the mutex with a word that makes it call the
 * kernel when it lets go. With neither the kind is undecided. docs/locks.md has the sources, and
 * how often that happens.
 */
#ifndef GILSCOPE_BPF_LOCK_H
#define GILSCOPE_BPF_LOCK_H

#include "bpf/lock_words.h"
#include "bpf/process.h"

/* The place of a futex that a thread sleeps on or wakes. */
static inline __u8 gilscope_lock_place(const struct gilscope_gil* lock, __u64 address) {
  __u64 at = address - lock->condition;
  if (lock->kind == GILSCOPE_LOCK_COND) {
    if (at >= GILSCOPE_CONDITION_BYTES) return GILSCOPE_AT_ANOTHER;
    return at - lock->signals_at < 8 ? GILSCOPE_AT_GIL : GILSCOPE_AT_RELEASE;
  }
  if (at == 0) return GILSCOPE_AT_GIL;
  if (lock->kind == GILSCOPE_LOCK_RWLOCK) {
    if (at >= GILSCOPE_RWLOCK_BYTES) return GILSCOPE_AT_ANOTHER;
    return at == 8 || at == 12 ? GILSCOPE_AT_GIL : GILSCOPE_AT_NO_LOCK;
  }
  return at < GILSCOPE_MUTEX_BYTES ? GILSCOPE_AT_NO_LOCK : GILSCOPE_AT_ANOTHER;
}

/* --- who sleeps for it ---
 * Kept so that an error of a race makes an attempt undecided: nobody is said to have slept all the
 * while who may not have. */

static inline void gilscope_lock_asleep(struct gilscope_gil_watch* watch, __u64 now) {
  __u64 before = *(volatile __u64*)&watch->asleep;
  if (before == 0) *(volatile __u64*)&watch->asleep_since_ns = now;
  __sync_fetch_and_add(&watch->asleep, 1);
}

static inline void gilscope_lock_awake(struct gilscope_gil_watch* watch) {
  __u64 before = *(volatile __u64*)&watch->asleep;
  if (before <= 1) *(volatile __u64*)&watch->asleep_since_ns = GILSCOPE_NEVER;
  __sync_fetch_and_add(&watch->asleep, -1);
  if (*(volatile __u64*)&watch->asleep == 0) {
    *(volatile __u64*)&watch->asleep_since_ns = GILSCOPE_NEVER;
  }
}

/* Another thread has slept for it since before `from_ns`. */
static inline int gilscope_lock_slept_for(const struct gilscope_gil_watch* watch, __u64 from_ns) {
  return *(volatile const __u64*)&watch->asleep != 0 &&
         *(volatile const __u64*)&watch->asleep_since_ns < from_ns;
}

/* --- a thread --- */

/* It goes to sleep for the lock. */
static inline void gilscope_lock_attempt(__u32 kind, struct gilscope_waiter* waiter,
                                         const struct gilscope_sight* sight,
                                         struct gilscope_outcome* outcome) {
  int timed_before = waiter->deadline != 0;
  int same_call = sight->deadline && sight->deadline == waiter->deadline;
  /* A thread that has left a call without a deadline has had the lock. */
  int had = waiter->had || (sight->ticked && !timed_before);
  outcome->slept_for_gil = 1;
  outcome->gil_state = GILSCOPE_WAITING;
  if (kind == GILSCOPE_LOCK_COND) {
    /* A wait is no attempt to get anything, and a thread that waits anew has been woken. */
    if (same_call) {
      outcome->seen |= GILSCOPE_SEEN_SAME_WAIT;
    } else {
      outcome->seen |= GILSCOPE_SEEN_UNDECIDED;
      outcome->acquired = waiter->waiting;
    }
  } else if (!waiter->waiting) {
    outcome->contended = 1;
  } else if (had) {
    outcome->contended = 1;
    outcome->acquired = 1;
  } else if (same_call) {
    outcome->woken_lost = 1;
  } else if (timed_before && waiter->woken_by == GILSCOPE_WOKEN_TIMER) {
    outcome->timed_out = 1;
  } else if (sight->unreleased) {
    outcome->woken_lost = 1;
  } else {
    outcome->seen |= GILSCOPE_SEEN_UNDECIDED;
  }
  waiter->waiting = 1;
  if (waiter->had) waiter->had = 0;
  waiter->deadline = sight->deadline;
  waiter->realtime = sight->realtime;
}

/* A thread is switched out. */
static inline struct gilscope_outcome gilscope_lock_switch_out(__u32 kind,
                                                               struct gilscope_waiter* waiter,
                                                               const struct gilscope_sight* sight) {
  struct gilscope_outcome outcome = {};
  int asleep = sight->asleep;
  outcome.gil_state = sight->mine ? GILSCOPE_HOLDING : GILSCOPE_OUTSIDE;
  if (asleep && sight->place == GILSCOPE_AT_GIL) {
    gilscope_lock_attempt(kind, waiter, sight, &outcome);
  } else {
    if (asleep && sight->place == GILSCOPE_AT_RELEASE) outcome.seen |= GILSCOPE_SEEN_RELEASE_STALL;
    /* Whoever has it, or sleeps for anything else, waits no more. */
    if (waiter->waiting && (asleep || sight->mine)) {
      outcome.acquired = 1;
      waiter->waiting = 0;
    }
    if (waiter->waiting) outcome.gil_state = GILSCOPE_WAITING;
  }
  waiter->slept = asleep ? sight->place : (__u8)GILSCOPE_AT_NOTHING;
  return outcome;
}

/* It runs again. */
static inline void gilscope_lock_switch_in(struct gilscope_waiter* waiter,
                                           struct gilscope_gil_watch* watch, __u64 last_run_ns,
                                           __u64 now) {
  if (waiter->asleep_for_gil) { /* its waking was not seen */
    waiter->asleep_for_gil = 0;
    gilscope_lock_awake(watch);
  }
  if (waiter->slept != GILSCOPE_AT_GIL) return;
  waiter->reference = now;
  waiter->woken_by = waiter->woken_ns >= last_run_ns ? waiter->woken : (__u8)GILSCOPE_WOKEN_UNSEEN;
  waiter->slept = GILSCOPE_AT_NOTHING;
}

#endif /* GILSCOPE_BPF_LOCK_H */
