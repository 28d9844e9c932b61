/* SPDX-License-Identifier: GPL-2.0-only
 *
 * The one header that the kernel side, the user side and the tests share. Every structure here lies
 * in a BPF map or a ring record; both sides must agree on each byte, so sizes and offsets are
 * asserted below. Times are nanoseconds of CLOCK_MONOTONIC (bpf_ktime_get_ns).
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
  GILSCOPE_WAITING = 1, /* found it taken, or has been told to let another take it first */
  GILSCOPE_HOLDING = 2,
};

struct gilscope_slot {
  __u32 state; /* enum gilscope_gil_state */
  __u32 reserved;
  __u64 acquires;
  __u64 releases;
  __u64 contended;  /* failed: found it taken, without having slept for it */
  __u64 woken_lost; /* failed: woken, tried again, lost */
  __u64 timed_out;  /* failed: a timed wait ran out and the GIL was still taken */
  __u64 drop_requests;
  __u64 reserved_too;
};
GILSCOPE_ASSERT(sizeof(struct gilscope_slot) == GILSCOPE_CACHE_LINE, "a slot is one cache line");

/* --- Segments: one stretch of one thread on one core ----------------------------------------- */

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

struct gilscope_segment {
  __u64 ready_ns;  /* waking, or when it was preempted; 0 where it began by entering */
  __u64 run_ns;    /* switched in, or entered */
  __u64 end_ns;    /* switched out, or left */
  __u32 thread;    /* slot on the board */
  __u32 waker_tid; /* the task that ran where the waking happened; 0 unless woken */
  __u16 cpu;
  __u16 previous_cpu; /* where the thread last ran, GILSCOPE_NO_CPU for its first segment */
  __u16 waker_cpu;    /* GILSCOPE_NO_CPU unless woken */
  __u16 placed_cpu;   /* where the wakeup put it; GILSCOPE_NO_CPU unless woken */
  __u8 began;         /* enum gilscope_began */
  __u8 ended;         /* enum gilscope_ended */
  __u8 gil_state;     /* enum gilscope_gil_state at its end */
  __u8 reserved;
  __u32 acquires; /* what the slot's counters grew by in this segment */
  __u32 contended;
  __u32 woken_lost;
  __u32 timed_out;
  __u32 drop_requests;
};
GILSCOPE_ASSERT(sizeof(struct gilscope_segment) == 64, "64 bytes or fewer a segment");

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

/* --- Cores: one entry a CPU id --------------------------------------------------------------- */

/* Written by programs on that CPU with interrupts off, except `remote`, which other CPUs write with
 * atomic additions. */

enum gilscope_occupant {
  GILSCOPE_UNKNOWN = 0, /* no switch seen on this core since the programs were attached */
  GILSCOPE_IDLE = 1,
  GILSCOPE_FOREIGN = 2, /* another process */
  GILSCOPE_HARNESS = 3, /* a thread of the worker that has not entered, or has left */
  GILSCOPE_THREAD = 4,  /* a thread that is being traced */
};

/* The part of a core's counts that other CPUs add to. */
struct gilscope_remote {
  __u64 waker;
  __u64 previous;
  __u64 placed;
  __u64 raw_in;
  __u64 raw_out;
} GILSCOPE_ALIGNED;

struct gilscope_core {
  __u32 occupant;   /* enum gilscope_occupant */
  __u32 tid;        /* the occupant's */
  __u64 since_ns;   /* when the occupant was switched in */
  __u64 since_exec; /* its sum_exec_runtime then, where it belongs to the worker */

  __u64 segments;
  __u64 records_dropped;
  __u64 on_cpu_ns;
  __u64 foreign_ns;
  __u64 idle_ns;
  __u64 harness_ns;
  __u64 discarded;       /* timestamps out of order */
  __u64 censored;        /* waits that ended after the window closed */
  __u64 missed_switches; /* the tracepoint did not tell: another task came off than had gone on */

  __u64 waker; /* the four sides of a wakeup, as far as they were counted on this CPU itself */
  __u64 previous;
  __u64 placed;
  __u64 ran;
  __u64 migrations_wakeup;
  __u64 migrations_preempt;

  __u64 acquires;
  __u64 contended;
  __u64 woken_lost;
  __u64 timed_out;
  __u64 drop_requests;
  __u64 wasted_wakeups;
  __u64 holder_preempted;

  /* The core's row of records: how many it has written, and how many the reader has taken. The next
   * one goes to written modulo the row's length; a full row drops. */
  __u64 written;
  __u64 taken GILSCOPE_ALIGNED; /* written by the reader alone */

  struct gilscope_remote remote;
  struct gilscope_segment unrecorded; /* the last one that went into no row */
  struct gilscope_histograms histograms;
} GILSCOPE_ALIGNED;

/* --- Threads: one entry a slot --------------------------------------------------------------- */

struct gilscope_waker {
  __u64 woken_ns;
  __u32 waker_tid;
  __u16 waker_cpu;
  __u16 placed_cpu; /* where the kernel puts the thread: where it was, or the move says where */
};

/* Written where the thread is woken, which can overlap its switch-out on another CPU: a cache line
 * and fields of its own, so that neither side overwrites the other. */
struct gilscope_waking {
  struct gilscope_waker last;
  struct gilscope_waker before; /* the one before the last */
  __u64 raw_wakeups;            /* every sched_waking */
  __u64 raw_migrations;         /* every sched_migrate_task */
} GILSCOPE_ALIGNED;
GILSCOPE_ASSERT(sizeof(struct gilscope_waking) == GILSCOPE_CACHE_LINE, "one cache line");

struct gilscope_thread {
  __u32 tid; /* in the first PID namespace */
  __u32 active;
  __u64 entered_ns;
  __u64 leave_ns;  /* set by the thread when it leaves or dies; its last segment ends then */
  __u64 left_ns;   /* set when that segment has been counted */
  __u64 out_ns;    /* when it was last switched out */
  __u64 asleep_ns; /* the same, where it went to sleep then; 0: it did not, or is back */
  __u64 out_exec;  /* its sum_exec_runtime when it was last switched out */
  __u16 cpu;       /* where the kernel has it */
  __u8 running;
  __u8 exited;
  __u32 reserved;

  /* The one that is running, as far as it is known; else the last one, but for its end. */
  struct gilscope_segment segment;
  struct gilscope_slot counted; /* the slot as of the last switch-out */

  __u64 segments;
  __u64 on_cpu_ns;
  __u64 stolen_ns;
  __u64 voluntary_switches;
  __u64 involuntary_switches;
  __u64 wakeups; /* those that ended a sleep */
  __u64 migrations_wakeup;
  __u64 migrations_preempt;
  __u64 wasted_wakeups;
  __u64 holder_preempted;

  struct gilscope_waking waking;
  struct gilscope_histograms histograms;
} GILSCOPE_ALIGNED;

/* --- The window ------------------------------------------------------------------------------ */

#define GILSCOPE_NEVER (~0ULL)

struct gilscope_window {
  __u32 worker_tgid; /* in the first PID namespace; 0: the window has never been opened */
  __u32 reserved;
  __u64 open_ns;  /* GILSCOPE_NEVER: not opened yet */
  __u64 close_ns; /* GILSCOPE_NEVER: still open */
  __u64 late_ns;  /* by how much an edge was announced too late, the worst; 0: in time */

  /* Written now and then, so kept off the line that every event reads. */
  __u64 entered GILSCOPE_ALIGNED; /* threads that entered, */
  __u64 left;                     /* and those whose last segment has been counted */
  __u64 started;                  /* threads of the worker that the kernel started in the window */
} GILSCOPE_ALIGNED;

#endif /* GILSCOPE_BPF_CONTRACT_H */
