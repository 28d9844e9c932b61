/* SPDX-License-Identifier: GPL-2.0-only
 *
 * The witness's two sides: what its programs are told, and the events that they send.
 */
#pragma once

#include <linux/types.h>

/* Addresses of the process that is observed; 0: there is none. */
struct witness_place {
  __u32 tgid;
  __u32 thread_id_at; /* in the holder's thread state: its pthread_self() */
  __u64 condition, mutex, switch_condition, switch_mutex; /* of the GIL */
  __u64 semaphore;                                        /* instead of a condition (2.7) */
  __u64 locked; /* 4 bytes: whether it is taken; 0: where there is a holder, it is */
  __u64 holder; /* 8 bytes: the holder's thread state, or PyPy's pthread_self() itself */
  __u32 holder_is_thread;
  __u32 reserved;
};

enum witness_what {
  WITNESS_SLEPT,     /* switched out asleep inside a futex wait at `address` */
  WITNESS_FUTEX,     /* a futex wait at `address` returned `result`, after `slept` sleeps */
  WITNESS_WAIT,      /* pthread_cond_timedwait was entered for the condition at `address` */
  WITNESS_WAITED,    /* ... and returned `result` */
  WITNESS_SIGNAL,    /* pthread_cond_signal was entered for the condition at `address` */
  WITNESS_SEMAPHORE, /* sem_wait was entered for the semaphore at `address` */
  WITNESS_PREEMPTED, /* switched out runnable while the words said that it held the GIL */
  WITNESS_TAKE,      /* take_gil was entered */
  WITNESS_TAKEN,     /* ... and returned */
};

struct witness_event {
  __u64 at_ns; /* CLOCK_MONOTONIC */
  __u64 address;
  __u32 thread;
  __s32 result;
  __u32 what; /* enum witness_what */
  __u32 slept;
};
