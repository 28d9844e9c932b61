/* SPDX-License-Identifier: GPL-2.0-only
 *
 * Real programs: what the programs look at when a thread of a traced process is switched out or
 * woken, which is all that is known of its GIL: the registers with which it entered the kernel say
 * which futex it sleeps on or wakes, and some words of the process's memory say who holds the GIL.
 * The rules on them are in attempt.h. Nothing here is in the programs of a model's run.
 */
#ifndef GILSCOPE_BPF_INTERPRETER_H
#define GILSCOPE_BPF_INTERPRETER_H

#include "bpf/attempt.h"
#include "bpf/futex_call.h"
#include "bpf/kernel.h"
#include "bpf/maps.h"

/* --- the tables --- */

static __always_inline struct gilscope_waiter* waiter_of(__u32 slot) {
  return bpf_map_lookup_elem(&waiters, &slot);
}

/* Of a thread that is followed, or was; else NULL. */
static __always_inline struct gilscope_waiter* waiter_of_tid(__u32 tid) {
  __u64* slot = bpf_map_lookup_elem(&slot_of_tid, &tid);
  return slot && *slot ? waiter_of((__u32)*slot - 1) : NULL;
}

static __always_inline struct gilscope_process* process_at(__u32 place) {
  return bpf_map_lookup_elem(&processes, &place);
}

/* The place in the table, plus one, of the process with this tgid; 0: it is not followed. */
static __always_inline __u32 place_of_tgid(__u32 tgid) {
  __u64* found = bpf_map_lookup_elem(&process_of_tgid, &tgid);
  return found ? (__u32)*found : 0;
}

/* --- the GIL's words, of the process that is current --- */

static __always_inline __u64 word_at(const __u64* block, __u16 at) {
  __u32 index = at / 8;
  return index < GILSCOPE_WORDS_BYTES / 8 ? block[index] : 0;
}

static __always_inline void look(const struct gilscope_gil* gil, struct gilscope_words* words) {
  __u64 block[GILSCOPE_WORDS_BYTES / 8];
  __u32 bytes = gil->words_bytes;
  words->readable = false;
  words->locked = 1;
  if (bytes) {
    if (bytes > GILSCOPE_WORDS_BYTES) bytes = GILSCOPE_WORDS_BYTES;
    if (bpf_probe_read_user(block, bytes, (void*)gil->words)) return;
    words->holder = word_at(block, gil->holder_at);
    words->number = word_at(block, gil->number_at);
    words->waits = word_at(block, gil->waits_at) >> 1;
    words->interval = word_at(block, gil->interval_at);
    if (gil->locked_at != GILSCOPE_NOWHERE) {
      __u64 word = word_at(block, gil->locked_at);
      words->locked = (__s32)(gil->locked_at & 4 ? word >> 32 : word);
    }
  }
  if (gil->locked && bpf_probe_read_user(&words->locked, 4, (void*)gil->locked)) return;
  if (gil->current) {
    if (bpf_probe_read_user(&words->holder, 8, (void*)gil->current)) return;
    words->locked = words->holder != 0;
  }
  words->readable = true;
}

static __always_inline void remember_state(struct gilscope_waiter* waiter, __u32 slot,
                                           __u64 state) {
  struct gilscope_state_key key = {state, waiter->process};
  __u64 value = slot;
  waiter->thread_state = state;
  bpf_map_update_elem(&slot_of_state, &key, &value, BPF_ANY);
}

/* Whether the thread that is current, whose words these are, holds the GIL. A thread state that is
 * not known yet is its own if it has its pthread_self(), which does not depend on the PID
 * namespace. */
static __always_inline bool holds(const struct gilscope_gil* gil, struct gilscope_waiter* waiter,
                                  __u32 slot, const struct gilscope_words* words, __u64 self) {
  if (!words->readable || !words->holder) return false;
  if (gil->kind == GILSCOPE_GIL_FAST) {
    if (unlikely(!waiter->thread_state)) remember_state(waiter, slot, self);
    return words->holder == self;
  }
  bool held = words->locked == 1;
  if (likely(words->holder == waiter->thread_state)) return held;
  /* The last holder stays there when it has let the GIL go: mostly a thread that goes to sleep. */
  if (words->holder == waiter->not_mine || (!held && waiter->thread_state)) return false;
  __u64 state = words->holder, id = 0;
  if (gil->native_at != GILSCOPE_NOWHERE &&
      bpf_probe_read_user(&state, 8, (void*)(state + gil->native_at))) {
    return false;
  }
  if (bpf_probe_read_user(&id, 8, (void*)(state + gil->thread_id_at))) return false;
  if (id != self) {
    waiter->not_mine = words->holder;
    return false;
  }
  remember_state(waiter, slot, words->holder);
  return held;
}

/* The last holder has had the GIL since it went to sleep for it. The table may still have the slot
 * of a thread that has ended, which another thread has now. */
static __always_inline void note_holder(struct gilscope_gil_watch* watch, __u32 process,
                                        const struct gilscope_words* words) {
  if (likely(words->holder == watch->last_holder)) return;
  watch->last_holder = words->holder;
  struct gilscope_state_key key = {words->holder, process};
  __u64* slot = bpf_map_lookup_elem(&slot_of_state, &key);
  struct gilscope_waiter* waiter = slot ? waiter_of(*slot) : NULL;
  if (!waiter || waiter->thread_state != words->holder || waiter->process != process) return;
  if (!waiter->had) waiter->had = 1;
}

/* --- a thread that is switched out, and is current --- */

/* Which of the process's GILs has this address, and where in it; the thread's own is asked first.
 */
static __always_inline __u8 place_in(const struct gilscope_process* process, __u64 address,
                                     __u32* which) {
  __u32 own = *which;
  if (own >= GILSCOPE_GILS) own = 0;
  __u8 place = gilscope_place_of(&process->gils[own], address);
  if (likely(place != GILSCOPE_AT_ANOTHER) || likely(process->gil_count <= 1)) return place;
  for (__u32 i = 0; i < GILSCOPE_GILS; ++i) {
    if (i >= process->gil_count) break;
    __u8 here = gilscope_place_of(&process->gils[i], address);
    if (here == GILSCOPE_AT_ANOTHER) continue;
    *which = i;
    return here;
  }
  return place;
}

static __always_inline __u64 state_by_condition(const struct gilscope_gil* gil, __u64 address,
                                                __u64 self) {
  if (gil->condition_at == GILSCOPE_NOWHERE) return 0;
  __u64 structure = ((address - gil->signals_at) & ~7ULL) - gil->condition_at, id = 0, state = 0;
  if (bpf_probe_read_user(&id, 8, (void*)(structure + gil->thread_id_at)) || id != self) return 0;
  if (gil->state_at == GILSCOPE_NOWHERE) return structure;
  if (bpf_probe_read_user(&state, 8, (void*)(structure + gil->state_at))) return 0;
  return state ? state : gil->main_state;
}

/* Ruby: a thread waits for the GIL while its node is in the list of waiters, that is, does not
 * point to itself. A thread that has not been seen to hold the GIL yet is known by the condition
 * that it sleeps on, which lies in a structure of its own. */
static __always_inline void see_queue(const struct gilscope_gil* gil,
                                      struct gilscope_waiter* waiter, __u32 slot, __u64 self) {
  struct gilscope_sight* sight = &waiter->sight;
  if (!sight->asleep || sight->place != GILSCOPE_AT_ANOTHER) return;
  __u64 state = waiter->thread_state, next = 0;
  if (!state) {
    state = state_by_condition(gil, waiter->call.address, self);
    if (!state) return;
    remember_state(waiter, slot, state);
  }
  __u64 node = state + gil->node_at;
  if (bpf_probe_read_user(&next, 8, (void*)node)) return;
  if (next && next != node) sight->place = GILSCOPE_AT_GIL;
}

static __always_inline __u64 deadline_of(const struct gilscope_call* call) {
  __u64 time[2];
  if (!call->timeout || bpf_probe_read_user(time, sizeof(time), (void*)call->timeout)) return 0;
  return time[0] * 1000000000ULL + time[1];
}

/* So many releases without a tick make a thread one that releases the GIL around calls, too: single
 * ones may be a tick's before which it was preempted. */
#define OTHER_RELEASES 3

/* Has the verifier forget what it knows of values in memory. */
#define GILSCOPE_FORGET() asm volatile("" ::: "memory")

static __always_inline void see_deadline(const struct gilscope_gil* gil,
                                         struct gilscope_waiter* waiter) {
  struct gilscope_sight* sight = &waiter->sight;
  sight->deadline = deadline_of(&waiter->call);
  sight->realtime = !!(waiter->call.operation & GILSCOPE_FUTEX_CLOCK_REALTIME);
  if (sight->deadline && !sight->realtime && gil->interval_at != GILSCOPE_NOWHERE) {
    sight->began_ns = sight->deadline - waiter->words.interval * 1000;
  }
}

/* 2.7 does not count how often the holder changes. Its threads release the GIL when their tick
 * counter has moved, or around calls; one that sleeps for it again from another depth of its stack
 * has been out of sem_wait in between. */
static __always_inline void see_ticks(const struct gilscope_gil* gil,
                                      struct gilscope_waiter* waiter) {
  struct gilscope_sight* sight = &waiter->sight;
  __u32 ticks = 0;
  if (gil->ticks_at == GILSCOPE_NOWHERE) return;
  if (sight->asleep && sight->place == GILSCOPE_AT_GIL) {
    sight->ticked = waiter->stack && waiter->call.stack != waiter->stack;
    waiter->stack = waiter->call.stack;
  }
  if (!waiter->thread_state) return;
  if (bpf_probe_read_user(&ticks, 4, (void*)(waiter->thread_state + gil->ticks_at))) return;
  if (ticks != waiter->ticks && waiter->ticks) sight->ticked = 1;
  waiter->ticks = ticks;
}

static __always_inline void see_words(const struct gilscope_gil* gil,
                                      struct gilscope_gil_watch* watch,
                                      struct gilscope_waiter* waiter, bool in_wait, __u64 now) {
  const struct gilscope_words* words = &waiter->words;
  waiter->looks.all += 1;
  if (unlikely(!words->readable)) {
    waiter->looks.unreadable += 1;
    return;
  }
  if (unlikely(!gilscope_plausible(gil, words))) waiter->looks.implausible += 1;
  gilscope_note_words(watch, words, in_wait, now);
  if (gil->kind == GILSCOPE_GIL_SEMAPHORE) return;
  if (words->holder != waiter->thread_state) {
    note_holder(watch, waiter->process, words);
    return;
  }
  /* Its own: what others would note, without a search for whose it is. */
  if (watch->last_holder != words->holder) watch->last_holder = words->holder;
  if (waiter->waiting && !waiter->had) waiter->had = 1;
}

/* Most threads that go to sleep do so for something else, with the GIL given up. Nothing is counted
 * then, and all that matters is whether the thread keeps the GIL all the same: one short look.
 * False: that takes a whole one. */
static __always_inline bool look_at_sleeper(const struct gilscope_gil* gil,
                                            struct gilscope_waiter* waiter) {
  __u64 words[2];
  if (gil->kind != GILSCOPE_GIL_CONDITION || gil->locked_at != gil->holder_at + 8) return false;
  if (waiter->waiting || !waiter->thread_state) return false;
  if (bpf_probe_read_user(words, sizeof(words), (void*)(gil->words + gil->holder_at))) return false;
  bool mine = (__s32)words[1] == 1 && words[0] == waiter->thread_state;
  waiter->outcome =
      (struct gilscope_outcome){.gil_state = mine ? GILSCOPE_HOLDING : GILSCOPE_OUTSIDE};
  waiter->slept = GILSCOPE_AT_NOTHING;
  waiter->looks.all += 1;
  if (unlikely(mine)) waiter->looks.held += 1;
  return true;
}

/* Looks at the thread that is being switched out, and puts what its segment counts into `outcome`.
 */
static __always_inline void look_at_thread(bool btf, struct task_struct* task, __u32 slot,
                                           struct gilscope_waiter* waiter,
                                           struct gilscope_process* process, bool asleep,
                                           __u64 now) {
  struct gilscope_sight* sight = &waiter->sight;
  current_call(&waiter->call);
  __u32 which = waiter->gil;
  if (asleep && !waiter->call.futex && which < GILSCOPE_GILS &&
      likely(look_at_sleeper(&process->gils[which], waiter))) {
    return;
  }
  sight->place = GILSCOPE_AT_NOTHING;
  sight->asleep = asleep;
  if (waiter->call.futex) sight->place = place_in(process, waiter->call.address, &which);
  waiter->gil = which;
  GILSCOPE_FORGET();
  which = waiter->gil;
  if (which >= GILSCOPE_GILS) which = 0;
  struct gilscope_gil* gil = &process->gils[which];
  struct gilscope_gil_watch* watch = &process->watches[which];
  sight->queues = gil->kind == GILSCOPE_GIL_FAST;
  sight->deadline = sight->began_ns = 0;
  sight->ticked = sight->realtime = 0;

  look(gil, &waiter->words);
  GILSCOPE_FORGET();
  __u64 self = thread_pointer(btf, task);
  sight->mine = holds(gil, waiter, slot, &waiter->words, self);
  GILSCOPE_FORGET();
  if (sight->mine) waiter->looks.held += 1;
  if (unlikely(gil->kind == GILSCOPE_GIL_QUEUE)) see_queue(gil, waiter, slot, self);
  GILSCOPE_FORGET();
  bool for_gil = sight->asleep && (sight->place == GILSCOPE_AT_GIL ||
                                   (sight->queues && sight->place == GILSCOPE_AT_MUTEX));
  if (for_gil) see_deadline(gil, waiter);
  GILSCOPE_FORGET();
  see_words(gil, watch, waiter, sight->asleep && sight->place == GILSCOPE_AT_GIL, now);
  GILSCOPE_FORGET();
  see_ticks(gil, waiter);
  GILSCOPE_FORGET();
  sight->number = waiter->words.number;
  sight->first_ns = watch->first_ns;
  sight->unnumbered =
      gil->kind == GILSCOPE_GIL_SEMAPHORE && waiter->other_releases >= OTHER_RELEASES;
  waiter->outcome = gilscope_on_switch_out(waiter, sight);
  GILSCOPE_FORGET();
  if (!waiter->outcome.slept_for_gil) return;
  waiter->looks.sleeps += 1;
  if (waiter->outcome.seen & GILSCOPE_SEEN_SAME_WAIT) waiter->looks.waits_begun_again += 1;
  if (waiter->outcome.queue_wait) waiter->looks.queue_waits += 1;
}

/* --- a thread that is woken, by the one that is current --- */

/* 2.7: a thread, which is current, has released the GIL. If its tick counter is what it was when it
 * was switched out last, the release was around a call. */
static __always_inline void note_release(const struct gilscope_gil* gil,
                                         struct gilscope_waiter* giver) {
  __u32 ticks = 0;
  if (giver->other_releases >= OTHER_RELEASES || !giver->thread_state) return;
  if (bpf_probe_read_user(&ticks, 4, (void*)(giver->thread_state + gil->ticks_at))) return;
  if (ticks == giver->ticks) giver->other_releases += 1;
}

/* The place that the waker, who is in this call, calls for threads to be woken from. */
static __always_inline __u8 look_at_waker(const struct gilscope_call* call,
                                          struct gilscope_waiter* waiter,
                                          struct gilscope_process* process, __u32 waker_tid,
                                          __u64 now) {
  __u32 which = waiter->gil;
  __u8 wakes = place_in(process, call->address, &which);
  if (which >= GILSCOPE_GILS) which = 0;
  const struct gilscope_gil* gil = &process->gils[which];
  if (gil->kind == GILSCOPE_GIL_QUEUE && wakes == GILSCOPE_AT_ANOTHER && waiter->asleep_for_gil) {
    wakes = GILSCOPE_AT_GIL;
  }
  if (wakes == GILSCOPE_AT_ANOTHER) return wakes;
  struct gilscope_words words = {};
  look(gil, &words);
  if (words.readable) {
    struct gilscope_gil_watch* watch = &process->watches[which];
    gilscope_note_words(watch, &words, false, now);
    if (gil->kind != GILSCOPE_GIL_SEMAPHORE) note_holder(watch, waiter->process, &words);
  }
  /* A thread that lets it go has had it; one that calls off the forced switch has taken it. */
  if (wakes != GILSCOPE_AT_GIL && wakes != GILSCOPE_AT_SWITCH) return wakes;
  struct gilscope_waiter* giver = waiter_of_tid(waker_tid);
  if (!giver) return wakes;
  if (!giver->had) giver->had = 1;
  if (gil->kind == GILSCOPE_GIL_SEMAPHORE) note_release(gil, giver);
  return wakes;
}

/* A thread is woken. Most wakings have nothing to do with the GIL, and touch nothing. */
static __always_inline void note_waking_of(struct gilscope_waiter* waiter, __u32 tgid, __u64 now) {
  __u64 waker = bpf_get_current_pid_tgid();
  __u8 wakes = GILSCOPE_AT_NOTHING;
  if ((__u32)(waker >> 32) == tgid) {
    struct gilscope_call call;
    current_call(&call);
    if (call.futex && !waits_by_futex(&call)) {
      struct gilscope_process* process = process_at(waiter->process);
      if (!process || !process->gil_count) return;
      wakes = look_at_waker(&call, waiter, process, (__u32)waker, now);
    }
  }
  if (wakes == GILSCOPE_AT_NOTHING && !gilscope_waking_matters(waiter, now)) return;
  waiter->woken = gilscope_woken_by(waiter, wakes, now);
  waiter->woken_ns = now;
}

#endif /* GILSCOPE_BPF_INTERPRETER_H */
