/* SPDX-License-Identifier: GPL-2.0-only
 *
 * Real programs that are traced for a lock that is no GIL: the look at it when a thread of the
 * process is switched out or woken. The rules are in lock.h. A constant of the loader chooses
 * between this and interpreter.h, so neither is in the other's programs.
 */
#ifndef GILSCOPE_BPF_LOCK_LOOK_H
#define GILSCOPE_BPF_LOCK_LOOK_H

#include "bpf/interpreter.h"
#include "bpf/lock.h"

/* In glibc's control block of a thread, to which the thread pointer points: its tid in its PID
 * namespace. struct pthread of nptl/descr.h: so since 2.4 on x86-64. */
#define GILSCOPE_TID_AT 720

/* The thread that is current is known to the lock by its tid in its own PID namespace. */
static __always_inline void learn_tid(struct gilscope_waiter* waiter, __u32 slot) {
  __u32 tid = 0;
  struct task_struct* task = (void*)bpf_get_current_task();
  __u64 self = thread_pointer(false, task);
  if (bpf_probe_read_user(&tid, sizeof(tid), (void*)(self + GILSCOPE_TID_AT)) || !tid) return;
  remember_state(waiter, slot, tid);
}

#ifdef __TARGET_ARCH_x86
#define MIX(sum, value) sum = (((sum) << 7) | ((sum) >> 57)) ^ (value)

/* The registers that the caller of futex(2) has, as one number. They stay as they are while glibc
 * waits for a plain mutex, which it does in a loop without a call; other locks have words of theirs
 * in registers, and only the stack pointer stays. */
static __always_inline __u64 registers_of_caller(const struct gilscope_call* call, bool plain) {
  __u64 sum = call->stack;
  if (!plain) return sum;
  if (bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_task_pt_regs)) {
    struct pt_regs* regs = (void*)bpf_task_pt_regs(bpf_get_current_task_btf());
    MIX(sum, regs->bx);
    MIX(sum, regs->bp);
    MIX(sum, regs->r12);
    MIX(sum, regs->r13);
    MIX(sum, regs->r14);
    MIX(sum, regs->r15);
    MIX(sum, regs->r8);
    MIX(sum, regs->r9);
  } else {
    struct task_struct* task = (void*)bpf_get_current_task();
    struct pt_regs* regs =
        BPF_CORE_READ(task, stack) + GILSCOPE_STACK_BYTES - bpf_core_type_size(struct pt_regs);
    MIX(sum, BPF_CORE_READ(regs, bx));
    MIX(sum, BPF_CORE_READ(regs, bp));
    MIX(sum, BPF_CORE_READ(regs, r12));
    MIX(sum, BPF_CORE_READ(regs, r13));
    MIX(sum, BPF_CORE_READ(regs, r14));
    MIX(sum, BPF_CORE_READ(regs, r15));
    MIX(sum, BPF_CORE_READ(regs, r8));
    MIX(sum, BPF_CORE_READ(regs, r9));
  }
  return sum;
}
#else
static __always_inline __u64 registers_of_caller(const struct gilscope_call* call, bool plain) {
  return 0;
}
#endif

static __always_inline void see_lock_sleep(const struct gilscope_gil* lock,
                                           const struct gilscope_gil_watch* watch,
                                           struct gilscope_waiter* waiter, const __u32* bytes) {
  struct gilscope_sight* sight = &waiter->sight;
  if (waiter->call.timeout) {
    sight->deadline = deadline_of(&waiter->call);
    sight->realtime = !!(waiter->call.operation & GILSCOPE_FUTEX_CLOCK_REALTIME);
  }
  bool mutex = lock->kind == GILSCOPE_LOCK_MUTEX;
  bool plain =
      mutex && !sight->deadline && waiter->words.readable && !gilscope_mutex_word_has_tid(bytes);
  __u64 registers = registers_of_caller(&waiter->call, plain);
  sight->ticked = waiter->stack && registers != waiter->stack;
  waiter->stack = registers;
  sight->unreleased = mutex && waiter->words.readable && !gilscope_lock_shared(lock, bytes) &&
                      gilscope_lock_slept_for(watch, waiter->reference);
}

/* Looks at the thread that is being switched out, which is current, and puts what its segment
 * counts into `outcome`. */
static __noinline void look_at_lock(struct gilscope_thread* thread, struct gilscope_waiter* waiter,
                                    struct gilscope_process* process, __u64 now, __u32 asleep) {
  const struct gilscope_gil* lock = &process->gils[0];
  struct gilscope_gil_watch* watch = &process->watches[0];
  struct gilscope_sight* sight = &waiter->sight;
  struct gilscope_words* words = &waiter->words;
  __u32 bytes[GILSCOPE_LOCK_WORDS] = {};
  current_call(&waiter->call);
  sight->asleep = !!asleep;
  sight->mine = sight->ticked = sight->realtime = sight->unreleased = 0;
  sight->deadline = 0;
  sight->place = GILSCOPE_AT_NOTHING;
  if (waiter->call.futex) sight->place = gilscope_lock_place(lock, waiter->call.address);
  GILSCOPE_FORGET();

  if (unlikely(!waiter->thread_state)) learn_tid(waiter, thread->segment.thread);
  words->readable = !bpf_probe_read_user(bytes, sizeof(bytes), (void*)lock->condition);
  waiter->looks.all += 1;
  if (likely(words->readable)) {
    struct gilscope_lock_state state;
    gilscope_lock_words(lock, bytes, &state);
    words->holder = state.holder;
    words->waits = state.waits;
    words->number = 0;
    words->locked = state.locked;
    bool there = gilscope_lock_plausible(lock, bytes) && sight->place != GILSCOPE_AT_NO_LOCK;
    if (unlikely(!there)) waiter->looks.implausible += 1;
    sight->mine = words->holder && words->holder == waiter->thread_state;
    if (sight->mine) waiter->looks.held += 1;
    gilscope_note_words(watch, words, asleep && sight->place == GILSCOPE_AT_GIL, now);
    if (words->holder && !sight->mine) {
      note_holder(watch, waiter->process, words);
    } else if (watch->last_holder != words->holder) {
      watch->last_holder = words->holder;
    }
  } else {
    waiter->looks.unreadable += 1;
  }
  GILSCOPE_FORGET();
  if (sight->asleep && sight->place == GILSCOPE_AT_GIL) see_lock_sleep(lock, watch, waiter, bytes);
  GILSCOPE_FORGET();
  waiter->outcome = gilscope_lock_switch_out(lock->kind, waiter, sight);
  GILSCOPE_FORGET();
  if (!waiter->outcome.slept_for_gil) return;
  waiter->looks.sleeps += 1;
  if (waiter->outcome.seen & GILSCOPE_SEEN_SAME_WAIT) waiter->looks.waits_begun_again += 1;
  /* One whose waker has come already is about to be woken. */
  if (thread->waking.last.woken_ns > thread->segment.run_ns) return;
  waiter->asleep_for_gil = 1;
  gilscope_lock_asleep(watch, now);
}

/* A thread is woken, by the one that is current. */
static __always_inline void note_lock_waking(struct gilscope_waiter* waiter, __u32 tgid,
                                             __u64 now) {
  __u64 waker = bpf_get_current_pid_tgid();
  __u8 wakes = GILSCOPE_AT_NOTHING;
  struct gilscope_process* process = process_at(waiter->process);
  if (!process || !process->gil_count) return;
  bool matters = gilscope_waking_matters(waiter, now);
  if (waiter->asleep_for_gil) {
    waiter->asleep_for_gil = 0;
    gilscope_lock_awake(&process->watches[0]);
  }
  if ((__u32)(waker >> 32) == tgid) {
    struct gilscope_call call;
    current_call(&call);
    if (call.futex && !waits_by_futex(&call)) {
      wakes = gilscope_lock_place(&process->gils[0], call.address);
    }
    if (wakes == GILSCOPE_AT_GIL) {
      struct gilscope_waiter* giver = waiter_of_tid((__u32)waker);
      if (giver && !giver->had) giver->had = 1;
    }
  }
  if (wakes == GILSCOPE_AT_NOTHING && !matters) return;
  waiter->woken = gilscope_woken_by(waiter, wakes, now);
  waiter->woken_ns = now;
}

#endif /* GILSCOPE_BPF_LOCK_LOOK_H */
