/* SPDX-License-Identifier: GPL-2.0-only
 *
 * What the programs count, by CPU and by thread. The counters are rows of bpf/numbers.def; what
 * stands here in full is the state that the programs need to count them. Both sides must agree on
 * every byte, as with bpf/contract.h.
 */
#ifndef GILSCOPE_BPF_COUNTERS_H
#define GILSCOPE_BPF_COUNTERS_H

#include "bpf/contract.h"

#define GILSCOPE_COUNTER(field) __u64 field;
#define GILSCOPE_NO_COUNTER(field)

/* --- CPUs: one entry a CPU id ---------------------------------------------------------------- */

/* Written by programs on that CPU with interrupts off, except `remote`, to which other CPUs add
 * atomically. */

enum gilscope_occupant {
  GILSCOPE_UNKNOWN = 0, /* no switch seen on this CPU since the programs were attached */
  GILSCOPE_IDLE = 1,
  GILSCOPE_FOREIGN = 2, /* another process */
  GILSCOPE_HARNESS = 3, /* a thread of the worker that has not entered, or has left */
  GILSCOPE_THREAD = 4,  /* a thread that is being traced */
};

#define GILSCOPE_REMOTE_own GILSCOPE_NO_COUNTER
#define GILSCOPE_REMOTE_gil GILSCOPE_NO_COUNTER
#define GILSCOPE_REMOTE_gil_of_models GILSCOPE_NO_COUNTER
#define GILSCOPE_REMOTE_subject GILSCOPE_NO_COUNTER
#define GILSCOPE_REMOTE_running GILSCOPE_NO_COUNTER
#define GILSCOPE_REMOTE_occupant GILSCOPE_NO_COUNTER
#define GILSCOPE_REMOTE_both GILSCOPE_COUNTER
#define GILSCOPE_REMOTE_remote GILSCOPE_COUNTER

/* The part of a CPU's counts that other CPUs add to. */
struct gilscope_remote {
#define CPU_NUMBER(path, field, csv, from, ...) GILSCOPE_REMOTE_##from(field)
#include "bpf/numbers.def"
} GILSCOPE_ALIGNED;

#define GILSCOPE_OWN_own GILSCOPE_COUNTER
#define GILSCOPE_OWN_gil GILSCOPE_COUNTER
#define GILSCOPE_OWN_gil_of_models GILSCOPE_COUNTER
#define GILSCOPE_OWN_subject GILSCOPE_NO_COUNTER
#define GILSCOPE_OWN_running GILSCOPE_COUNTER
#define GILSCOPE_OWN_occupant GILSCOPE_COUNTER
#define GILSCOPE_OWN_both GILSCOPE_COUNTER
#define GILSCOPE_OWN_remote GILSCOPE_NO_COUNTER

#define GILSCOPE_SUBJECT_own GILSCOPE_NO_COUNTER
#define GILSCOPE_SUBJECT_gil GILSCOPE_NO_COUNTER
#define GILSCOPE_SUBJECT_gil_of_models GILSCOPE_NO_COUNTER
#define GILSCOPE_SUBJECT_running GILSCOPE_NO_COUNTER
#define GILSCOPE_SUBJECT_occupant GILSCOPE_NO_COUNTER
#define GILSCOPE_SUBJECT_both GILSCOPE_NO_COUNTER
#define GILSCOPE_SUBJECT_remote GILSCOPE_NO_COUNTER
#define GILSCOPE_SUBJECT_subject GILSCOPE_COUNTER

struct gilscope_cpu {
  __u32 occupant;   /* enum gilscope_occupant */
  __u32 tid;        /* the occupant's */
  __u64 since_ns;   /* when the occupant was switched in */
  __u64 since_exec; /* its sum_exec_runtime then, where it belongs to the worker */

#define CPU_NUMBER(path, field, csv, from, ...) GILSCOPE_OWN_##from(field)
#include "bpf/numbers.def"

  /* How many records this CPU has written to its buffer, and how many the reader has taken. The
   * next one goes to `written` modulo the buffer's length; a full buffer drops. */
  __u64 written;

/* Rarely written, so behind what every switch writes. */
#define GILSCOPE_LOST_cpus GILSCOPE_COUNTER
#define GILSCOPE_LOST_cpu_number GILSCOPE_NO_COUNTER
#define GILSCOPE_LOST_window GILSCOPE_NO_COUNTER
#define GILSCOPE_LOST_elsewhere GILSCOPE_NO_COUNTER
#define LOST(key, csv, from, ...) GILSCOPE_LOST_##from
#include "bpf/numbers.def"

/* Real programs alone have these. */
#define CPU_NUMBER(path, field, csv, from, ...) GILSCOPE_SUBJECT_##from(field)
#include "bpf/numbers.def"

  __u64 taken GILSCOPE_ALIGNED; /* written by the reader alone */

  struct gilscope_remote remote;
  struct gilscope_segment unrecorded; /* the last segment that went into no buffer */
  struct gilscope_histograms histograms;
} GILSCOPE_ALIGNED;

/* --- Threads: one entry a slot --------------------------------------------------------------- */

struct gilscope_waker {
  __u64 woken_ns;
  __u32 waker_tid;
  __u16 waker_cpu;
  __u16 placed_cpu; /* where the thread was, until sched_migrate_task says otherwise */
};

#define GILSCOPE_WAKING_own GILSCOPE_NO_COUNTER
#define GILSCOPE_WAKING_signed_sum GILSCOPE_NO_COUNTER
#define GILSCOPE_WAKING_waking GILSCOPE_COUNTER

/* Written where the thread is woken, which can overlap its switch-out on another CPU: a cache line
 * and fields of its own, so that neither side overwrites the other. */
struct gilscope_waking {
  struct gilscope_waker last;
  struct gilscope_waker before; /* the one before the last */
#define THREAD_NUMBER(field, from, ...) GILSCOPE_WAKING_##from(field)
#include "bpf/numbers.def"
} GILSCOPE_ALIGNED;
GILSCOPE_ASSERT(sizeof(struct gilscope_waking) == GILSCOPE_CACHE_LINE, "one cache line");

#define GILSCOPE_OWN_signed_sum GILSCOPE_COUNTER
#define GILSCOPE_OWN_waking GILSCOPE_NO_COUNTER

struct gilscope_thread {
  __u32 tid; /* in the first PID namespace */
  __u32 active;
  __u64 entered_ns;
  __u64 leave_ns;  /* set by the thread when it leaves or dies; its last segment ends then */
  __u64 left_ns;   /* set when that segment has been counted */
  __u64 out_ns;    /* when the thread was last switched out */
  __u64 asleep_ns; /* the same where it went to sleep then; 0: it did not, or has run since */
  __u64 out_exec;  /* its sum_exec_runtime when it was last switched out */
  __u16 cpu;       /* where the kernel has it */
  __u8 running;
  __u8 exited;
  __u32 reserved;

  /* The running segment as far as it is known; else the last one, without its end. */
  struct gilscope_segment segment;
  struct gilscope_slot counted; /* the slot as of the last switch-out */

#define THREAD_NUMBER(field, from, ...) GILSCOPE_OWN_##from(field)
#include "bpf/numbers.def"

/* Real programs alone have these. */
#define GIL_OF_SUBJECT(key, definition) GILSCOPE_COUNTER(key)
#include "bpf/numbers.def"

  struct gilscope_waking waking;
  struct gilscope_histograms histograms;
} GILSCOPE_ALIGNED;

#endif /* GILSCOPE_BPF_COUNTERS_H */
