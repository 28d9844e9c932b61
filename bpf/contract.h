/* SPDX-License-Identifier: GPL-2.0-only
 *
 * The layout of what the kernel side, the user side and the tests share: the board, the segments,
 * the histograms and the window. Each structure lies in a BPF map or is a record of one; both sides
 * must agree on every byte, so sizes are asserted below. Times are nanoseconds of CLOCK_MONOTONIC
 * (bpf_ktime_get_ns). The counters are in bpf/counters.h.
 */
#ifndef GILSCOPE_BPF_CONTRACT_H
#define GILSCOPE_BPF_CONTRACT_H

#include <linux/types.h>

#ifdef __cplusplus
#define GILSCOPE_ASSERT(condition, text) static_assert(condition, text)
#else
#define GILSCOPE_ASSERT(condition, text) _Static_assert(condition, text)
#endif

#define GILSCOPE_CACHE_LINE 64
#define GILSCOPE_ALIGNED __attribute__((aligned(GILSCOPE_CACHE_LINE)))
#define GILSCOPE_NO_CPU 0xffff

/* --- The board: one slot a thread, written by its own thread with plain stores --------------- */

enum gilscope_gil_state {
  GILSCOPE_OUTSIDE = 0, /* neither holds the GIL nor wants it */
  GILSCOPE_WAITING = 1, /* found it taken, or was told to let another thread take it first */
  GILSCOPE_HOLDING = 2,
};

/* The counters are the GIL rows of bpf/numbers.def. */
struct gilscope_slot {
  __u32 state; /* enum gilscope_gil_state */
  __u32 reserved;
  __u64 acquires;
  __u64 releases;
  __u64 contended;
  __u64 woken_lost;
  __u64 timed_out;
  __u64 drop_requests;
  __u64 reserved_too;
};
GILSCOPE_ASSERT(sizeof(struct gilscope_slot) == GILSCOPE_CACHE_LINE, "a slot is one cache line");

/* --- Segments: one stretch of one thread on one CPU ------------------------------------------ */

enum gilscope_began {
  GILSCOPE_BEGAN_ENTERED = 0,   /* the thread entered tracing while it ran */
  GILSCOPE_BEGAN_WOKEN = 1,     /* it had slept */
  GILSCOPE_BEGAN_PREEMPTED = 2, /* it had been runnable all the time */
};

enum gilscope_ended {
  GILSCOPE_ENDED_PREEMPTED = 0,   /* switched out runnable */
  GILSCOPE_ENDED_BLOCKED_GIL = 1, /* went to sleep while its slot said waiting */
  GILSCOPE_ENDED_BLOCKED = 2,     /* went to sleep for anything else */
  GILSCOPE_ENDED_LEFT = 3,        /* left tracing, its work done */
  GILSCOPE_ENDED_EXITED = 4,      /* died without leaving: a daemon thread, or killed */
};

/* Flags of the end of a real program's segment. */
enum gilscope_seen {
  GILSCOPE_SEEN_UNDECIDED = 1,     /* a failed attempt whose kind is not known */
  GILSCOPE_SEEN_MUTEX_SLEEP = 2,   /* asleep on the mutex that guards the GIL's words */
  GILSCOPE_SEEN_RELEASE_STALL = 4, /* asleep in glibc's condition while giving the GIL up */
  GILSCOPE_SEEN_SAME_WAIT = 8,     /* asleep again within one wait of glibc's: no new attempt */
};

struct gilscope_segment {
  __u64 ready_ns;  /* woken or preempted; 0 where the segment began by entering */
  __u64 run_ns;    /* switched in, or entered */
  __u64 end_ns;    /* switched out, or left */
  __u32 thread;    /* slot on the board */
  __u32 waker_tid; /* the task that was current at sched_waking; 0 unless woken */
  __u16 cpu;
  __u16 previous_cpu; /* where the thread last ran; GILSCOPE_NO_CPU for its first segment */
  __u16 waker_cpu;    /* GILSCOPE_NO_CPU unless woken */
  __u16 placed_cpu;   /* where the wakeup put the thread; GILSCOPE_NO_CPU unless woken */
  __u8 began;         /* enum gilscope_began */
  __u8 ended;         /* enum gilscope_ended */
  __u8 gil_state;     /* enum gilscope_gil_state at its end */
  __u8 seen;          /* enum gilscope_seen: of real programs; 0 for models */
  __u32 acquires;     /* how much the slot's counters grew in this segment */
  __u32 contended;
  __u32 woken_lost;
  __u32 timed_out;
  __u32 drop_requests;
};
GILSCOPE_ASSERT(sizeof(struct gilscope_segment) == 64, "a segment is one cache line");

/* --- Histograms: see bpf/histogram.h --------------------------------------------------------- */

#define GILSCOPE_BUCKETS 288

struct gilscope_histogram {
  __u64 max;
  __u64 buckets[GILSCOPE_BUCKETS];
};

struct gilscope_histograms {
  struct gilscope_histogram wake_to_run;
  struct gilscope_histogram preempt_wait;
  struct gilscope_histogram run;
};

/* --- The window ------------------------------------------------------------------------------ */

#define GILSCOPE_NEVER (~0ULL)

struct gilscope_window {
  __u32 worker_tgid; /* in the first PID namespace; 0: the window has never been opened */
  __u32 reserved;
  __u64 open_ns;  /* GILSCOPE_NEVER: not opened yet */
  __u64 close_ns; /* GILSCOPE_NEVER: still open */
  __u64 late_ns;  /* how much too late an edge was announced, at worst; 0: none was late */

  /* Rarely written, so kept off the cache line that every event reads. */
  __u64 entered GILSCOPE_ALIGNED; /* threads that entered */
  __u64 left;                     /* threads whose last segment has been counted */
  __u64 started;                  /* threads of the worker that the kernel started in the window */
} GILSCOPE_ALIGNED;

#endif /* GILSCOPE_BPF_CONTRACT_H */
