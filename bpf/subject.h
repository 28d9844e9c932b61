/* SPDX-License-Identifier: GPL-2.0-only
 *
 * Real programs: where the GIL of a traced process is, for the kernel side to look at. The user
 * side finds it (userspace/subject/) and the programs only read. Addresses are the traced
 * process's; offsets are bytes. Sources: the layouts of each interpreter and of glibc,
 * docs/interpreters.md.
 */
#ifndef GILSCOPE_BPF_SUBJECT_H
#define GILSCOPE_BPF_SUBJECT_H

#include "bpf/contract.h"

/* How threads wait for it. */
enum gilscope_gil_kind {
  GILSCOPE_GIL_UNKNOWN = 0,   /* not found yet, or there is none */
  GILSCOPE_GIL_CONDITION = 1, /* CPython from 3.2 on: timed waits on one condition */
  GILSCOPE_GIL_SEMAPHORE =
      2, /* CPython up to 2.7: one sem_t; the current thread state is the holder */
  GILSCOPE_GIL_FAST =
      3, /* PyPy: a word with the holder's pthread_self(), timed waits by a stealer */
  GILSCOPE_GIL_QUEUE = 4, /* Ruby: each waiter is in a list, and waits on a condition of its own */
  /* Locks of glibc's that are no GIL: `condition` and `words` are the lock's address (lock.h). */
  GILSCOPE_LOCK_MUTEX = 5,
  GILSCOPE_LOCK_RWLOCK = 6,
  GILSCOPE_LOCK_COND = 7,
};

#define GILSCOPE_NOWHERE 0xffff
#define GILSCOPE_WORDS_BYTES 96
#define GILSCOPE_CONDITION_BYTES 48          /* pthread_cond_t */
#define GILSCOPE_MUTEX_BYTES 40              /* pthread_mutex_t */
#define GILSCOPE_SEMAPHORE_BYTES 32          /* sem_t */
#define GILSCOPE_LONGEST_INTERVAL 1000000000 /* microseconds; a longer one is none */

struct gilscope_gil {
  __u32 kind;             /* enum gilscope_gil_kind */
  __u32 signals_at;       /* __g_signals in glibc's condition: 40 up to 2.40, 32 from 2.41 */
  __u64 condition;        /* that waiters sleep on; the sem_t of 2.7; 0 for Ruby */
  __u64 mutex;            /* that guards the words; PyPy: that queues the stealers; 0: none */
  __u64 switch_condition; /* of CPython's forced switch; 0: none */
  __u64 switch_mutex;

  __u64 words; /* words_bytes from here are read in one go */
  __u16 words_bytes;
  /* Offsets in there; GILSCOPE_NOWHERE: it is not in there. */
  __u16 interval_at; /* the switch interval, microseconds, 8 bytes */
  __u16 holder_at; /* the last holder's thread state; PyPy: the holder's pthread_self(); 8 bytes */
  __u16 locked_at; /* 4 bytes: 0 or 1, and -1 before it is first taken */
  __u16 number_at; /* how often the holder changed, 8 bytes */
  __u16 waits_at;  /* glibc's __wseq: twice the number of waits ever begun; 8 bytes */

  __u64 locked;  /* the same as locked_at where it lies elsewhere (3.6); 0: it does not */
  __u64 current; /* _PyThreadState_Current, a pointer (2.7); 0: none */

  /* In a holder's thread state. Its thread is the one whose pthread_self() stands at thread_id_at;
   * with native_at, in the structure that the pointer there leads to (Ruby). */
  __u16 thread_id_at;
  __u16 native_at; /* GILSCOPE_NOWHERE: no second structure */
  __u16 ticks_at;  /* tick_counter, 4 bytes (2.7); GILSCOPE_NOWHERE: none */
  __u16 node_at;   /* the thread's node in the list of waiters, which points to itself outside of it
                      (Ruby) */
  /* From the condition that a thread of Ruby's sleeps on, to the thread's state: it is the thread's
   * own where, condition_at before it, a structure begins that has its pthread_self() at
   * thread_id_at. That is its state; with native_at, the pointer at state_at leads there. */
  __u16 condition_at;
  __u16 state_at; /* GILSCOPE_NOWHERE: it is the state */
  __u32 reserved;
  __u64 main_state; /* the main thread's, of which that pointer may be null (Ruby 3.3) */
};
GILSCOPE_ASSERT(sizeof(struct gilscope_gil) == 104, "both sides agree");

#endif /* GILSCOPE_BPF_SUBJECT_H */
