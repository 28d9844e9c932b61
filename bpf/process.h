/* SPDX-License-Identifier: GPL-2.0-only
 *
 * The state that the programs keep of a traced real program: a process with its GILs, and of each
 * thread how it stands to the GIL. Both sides must agree on every byte, as with bpf/contract.h.
 */
#ifndef GILSCOPE_BPF_PROCESS_H
#define GILSCOPE_BPF_PROCESS_H

#include "bpf/subject.h"

#define GILSCOPE_NAME_BYTES 16 /* TASK_COMM_LEN */
#define GILSCOPE_GILS 4 /* of one process: the main interpreter's, and sub-interpreters' own */

enum gilscope_process_state {
  GILSCOPE_PROCESS_NONE = 0,   /* the place is free */
  GILSCOPE_PROCESS_TRACED = 1, /* its threads are traced */
  GILSCOPE_PROCESS_ENDED = 2,  /* its last thread has exited, or it has executed another program */
};

/* One GIL, as the thread that looked last saw it. Written on several CPUs without
 * locks: a lost update costs a sign that a thread had the GIL, and so a decided kind. Only what has
 * changed is written, so that the CPUs that look can share the cache line. */
struct gilscope_gil_watch {
  __u64 latest;      /* number of changes of holder */
  __u64 last_holder; /* word that was last seen */
  __u64 first_waits; /* glibc's count of waits ever begun, at the first look */
  __u64 last_waits;  /* and at the last one */
  __u64 first_ns;    /* when the first look was; 0: there was none */
  /* Of locks that are no GIL: how many threads sleep for it, and since when somebody always has. */
  __u64 asleep;
  __u64 asleep_since_ns;
  __u64 reserved;
} GILSCOPE_ALIGNED;

struct gilscope_process {
  __u32 tgid;   /* in the first PID namespace */
  __u32 state;  /* enum gilscope_process_state */
  __u32 parent; /* place in the table, plus one, of who made it; 0: the user side enrolled it */
  __u32 gil_count;
  __u32 executed; /* `parent` is what the same process was before it executed a program */
  __u32 started;  /* threads that started in the window, without the main one */
  struct gilscope_gil gils[GILSCOPE_GILS];
  struct gilscope_gil_watch watches[GILSCOPE_GILS];
} GILSCOPE_ALIGNED;

/* By whom a thread was woken. */
enum gilscope_woken_by {
  GILSCOPE_WOKEN_UNSEEN = 0,
  GILSCOPE_WOKEN_TIMER = 1,     /* its time was up */
  GILSCOPE_WOKEN_GIL = 2,       /* a thread that let a GIL go */
  GILSCOPE_WOKEN_OTHERWISE = 3, /* anything else, a signal for instance */
};

/* Where a thread is within the kernel, as far as it concerns its GIL. */
enum gilscope_place {
  GILSCOPE_AT_NOTHING = 0, /* in no futex call */
  GILSCOPE_AT_GIL = 1,     /* what waiters of the GIL sleep on */
  GILSCOPE_AT_RELEASE = 2, /* inside glibc's condition, as who gives the GIL up may be */
  GILSCOPE_AT_MUTEX = 3,   /* the mutex that guards the words, or that queues PyPy's stealers */
  GILSCOPE_AT_SWITCH = 4,  /* CPython's forced switch: has let it go, and waits until it is taken */
  GILSCOPE_AT_SWITCH_MUTEX = 5, /* its mutex */
  GILSCOPE_AT_ANOTHER = 6,      /* another futex */
  GILSCOPE_AT_NO_LOCK = 7,      /* within the lock, where no thread waits for such a one */
};

/* The system call in which a thread is, as far as it concerns futexes. */
struct gilscope_call {
  __u64 address, timeout;
  __u64 stack; /* the caller's stack pointer */
  __u32 operation;
  __u32 futex; /* it is a futex call */
};

/* The GIL's words, as one look saw them. */
struct gilscope_words {
  __u64 holder; /* a thread state or, for PyPy, a pthread_self() */
  __u64 number; /* 0 where the interpreter has none */
  __u64 waits;  /* likewise */
  __u64 interval;
  __s32 locked;
  __u32 readable;
};

/* A thread that is switched out, as it is seen. */
struct gilscope_sight {
  __u8 place;  /* enum gilscope_place */
  __u8 asleep; /* it goes to sleep */
  __u8 mine;   /* it holds the GIL */
  __u8 ticked; /* 2.7: its tick counter has moved, or it calls from elsewhere */
  __u8 realtime;
  __u8 queues;     /* its GIL's mutex is a queue for the GIL (PyPy) */
  __u8 unnumbered; /* nothing says that it cannot have had the GIL (2.7) */
  __u8 unreleased; /* a lock that is no GIL: it cannot have had it and let it go (lock.h) */
  __u64 number;    /* of changes of holder */
  __u64 deadline;  /* of the timed wait that it sleeps in; 0: none, or not readable */
  __u64 began_ns;  /* when that wait began, where that can be told; else 0 */
  __u64 first_ns;  /* when the GIL was first looked at */
};

/* The conclusions for the segment that ends. */
struct gilscope_outcome {
  __u8 contended, woken_lost, timed_out; /* 0 or 1 */
  __u8 acquired;                         /* it got the GIL after having waited for it */
  __u8 gil_state;                        /* enum gilscope_gil_state */
  __u8 seen;                             /* enum gilscope_seen, together */
  __u8 slept_for_gil;
  __u8 queue_wait; /* an attempt that no condition counts */
};

/* How often a thread's looks at its GIL ended how. */
struct gilscope_looks {
  __u64 all;
  __u64 unreadable;        /* failed, as they do once a thread has given up its memory */
  __u64 implausible;       /* saw no GIL: an impossible word */
  __u64 held;              /* saw that the thread holds it */
  __u64 sleeps;            /* saw that the thread goes to sleep for it */
  __u64 waits_begun_again; /* of these: within a wait that had begun before */
  __u64 queue_waits;       /* of these: began a wait that no condition counts (PyPy's stealers) */
  __u64 reserved;
};

struct gilscope_waiter {
  /* Read or written where it is woken or another thread looks, which can overlap its own switches
   * on another CPU. */
  __u64 woken_ns;      /* when it was woken out of its last sleep for the GIL */
  __u64 deadline;      /* of its last timed wait for the GIL, of the clock that it waits by */
  __u8 woken;          /* enum gilscope_woken_by, by that waking */
  __u8 had;            /* it was seen to have had the GIL since it last went to sleep for it */
  __u8 realtime;       /* its last timed wait is by CLOCK_REALTIME */
  __u8 asleep_for_gil; /* it has gone to sleep for the GIL, and not run since */

  /* Its own alone: written at its switches. */
  __u64 thread_state GILSCOPE_ALIGNED; /* PyPy: its pthread_self(); of a lock that is no GIL: its
                                          tid in its PID namespace; 0: not known yet */
  __u64 not_mine;  /* the last holder that was found to be another thread's state */
  __u64 stack;     /* 2.7: its stack pointer when it went to sleep for the GIL last; of a lock that
                      is no GIL: its registers, mixed into one number */
  __u64 reference; /* the latest number of changes of holder that anybody had seen when it ran
                      again; of a lock that is no GIL: when that was */
  __u32 ticks;     /* 2.7: tick_counter, when it was last switched out */
  __u32 process;   /* its place in the table */
  __u8 waiting;    /* it wants the GIL and has not got it */
  __u8 woken_by;   /* enum gilscope_woken_by: what ended its last sleep for the GIL */
  __u8 slept;      /* enum gilscope_place of its last switch-out, if it went to sleep then */
  __u8 gil;        /* which of its process's GILs it uses */
  __u8 other_releases; /* 2.7: releases of the GIL seen that were no tick's; counts to 3 */
  struct gilscope_looks looks;
  char name[GILSCOPE_NAME_BYTES];

  /* The last look, and the conclusions. In a map and not on the stack, because the verifier
   * would go through the rest of the program once for each combination of their values. */
  struct gilscope_call call;
  struct gilscope_words words;
  struct gilscope_sight sight;
  struct gilscope_outcome outcome;
} GILSCOPE_ALIGNED;

#endif /* GILSCOPE_BPF_PROCESS_H */
