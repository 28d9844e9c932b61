/* SPDX-License-Identifier: GPL-2.0-only
 *
 * The accounting behind the programs: what a switch-out closes, what a switch-in opens, and what
 * each adds to its CPU and its thread. Everything here runs on `cpu` with interrupts off, so a
 * CPU's own counts need no atomics; what belongs to another CPU goes to that CPU's `remote`.
 */
#ifndef GILSCOPE_BPF_ACCOUNT_H
#define GILSCOPE_BPF_ACCOUNT_H

#include "bpf/attempt.h"
#include "bpf/histogram.h"
#include "bpf/kernel.h"
#include "bpf/maps.h"
#include "bpf/segment.h"
#include "bpf/waking.h"
#include "bpf/window.h"

static __always_inline struct gilscope_cpu* per_cpu_of(__u32 cpu) {
  return bpf_map_lookup_elem(&cpus, &cpu);
}

/* The counts of a process on a CPU. A model's run has one process, and the CPU's own entry has its
 * counts; of real programs each process has a part of the table. `subject`, here and below: real
 * programs are traced. It is a constant wherever it is said, so that the programs of models have
 * nothing of it. */
static __always_inline struct gilscope_cpu* account_of(bool subject, __u32 process, __u32 cpu) {
  __u32 at = subject ? process * possible_cpus + cpu : cpu;
  return bpf_map_lookup_elem(&cpus, &at);
}

/* The traced thread with this tid, or NULL. */
static __always_inline struct gilscope_thread* thread_of(__u32 tid) {
  __u64* found = bpf_map_lookup_elem(&slot_of_tid, &tid);
  if (unlikely(!found || !*found)) return NULL;
  __u32 slot = (__u32)*found - 1;
  struct gilscope_thread* thread = bpf_map_lookup_elem(&threads, &slot);
  if (unlikely(!thread || !thread->active)) return NULL;
  return thread;
}

static __always_inline __u64 in_window(__u64 from, __u64 to) {
  return gilscope_within(from, to, window.open_ns, window.close_ns);
}

#define COUNT_ON(subject, account_here, process, cpu_here, cpu, field) \
  do {                                                                 \
    if ((cpu) == (cpu_here)) {                                         \
      (account_here)->field += 1;                                      \
    } else {                                                           \
      struct gilscope_cpu* other = account_of(subject, process, cpu);  \
      if (other) __sync_fetch_and_add(&other->remote.field, 1);        \
    }                                                                  \
  } while (0)

/* Adds a wait to the histograms if it ended in the window, else counts it as censored. */
static __always_inline void count_wait(struct gilscope_cpu* account,
                                       struct gilscope_histogram* of_cpu,
                                       struct gilscope_histogram* of_thread, __u64 from, __u64 to) {
  if (unlikely(to < from)) {
    account->discarded += 1;
  } else if (unlikely(to > window.close_ns)) {
    account->censored += 1;
  } else {
    gilscope_histogram_add_to_both(of_cpu, of_thread, to - from);
  }
}

/* --- who has the CPU --- */

/* The occupant as far as it is known before its process is looked at; only idle tasks have tgid 0.
 * Counts a switch that was not seen. */
static __always_inline __u32 known_occupant(struct gilscope_cpu* per_cpu, __u32 prev_tgid,
                                            __u32 prev_tid) {
  __u32 occupant = per_cpu->occupant;
  if (unlikely(occupant == GILSCOPE_UNKNOWN)) {
    occupant = prev_tgid ? GILSCOPE_FOREIGN : GILSCOPE_IDLE;
  } else if (unlikely(per_cpu->tid != prev_tid)) {
    per_cpu->missed_switches += 1;
  }
  return occupant;
}

static __always_inline void count_occupant(struct gilscope_cpu* per_cpu, __u32 occupant,
                                           __u64 now) {
  __u64 span = in_window(per_cpu->since_ns, now);
  if (occupant == GILSCOPE_IDLE) per_cpu->idle_ns += span;
  if (occupant == GILSCOPE_FOREIGN) per_cpu->foreign_ns += span;
  if (occupant == GILSCOPE_HARNESS) per_cpu->harness_ns += span;
}

/* --- a thread is woken, or moved --- */

/* On the waker's CPU, before the kernel has chosen where to put the thread. */
static __always_inline void note_waking(struct gilscope_thread* thread, __u64 now) {
  /* Atomic: a thread can wake itself in an interrupt while another CPU is waking it. */
  __sync_fetch_and_add(&thread->waking.raw_wakeups, 1);
  struct gilscope_waker waker = {
      .woken_ns = now,
      /* In an interrupt (a timer) this is the interrupted task. */
      .waker_tid = bpf_get_current_pid_tgid(),
      .waker_cpu = bpf_get_smp_processor_id(),
      .placed_cpu = thread->cpu,
  };
  gilscope_note_waking(&thread->waking, waker);
}

static __always_inline void note_move(bool btf, bool subject, struct task_struct* task,
                                      struct gilscope_thread* thread, __u32 process, __u32 to) {
  struct gilscope_cpu *from_cpu = account_of(subject, process, thread->cpu),
                      *to_cpu = account_of(subject, process, to);
  if (from_cpu) __sync_fetch_and_add(&from_cpu->remote.migrations_raw_out, 1);
  if (to_cpu) __sync_fetch_and_add(&to_cpu->remote.migrations_raw_in, 1);
  thread->waking.migrations_raw += 1;
  thread->cpu = to;
  /* A thread with a sleeping state is being placed: its wakeup sets the state to 0 at its end. */
  if (task_state(btf, task)) thread->waking.last.placed_cpu = to;
}

/* --- switch-in --- */

static __always_inline void open_segment(bool subject, struct gilscope_thread* thread,
                                         struct gilscope_cpu* account, __u32 process, __u32 cpu,
                                         __u64 now, const struct gilscope_waker* waker) {
  struct gilscope_segment* segment = &thread->segment;
  struct gilscope_histogram* of_cpu = &account->histograms.preempt_wait;
  struct gilscope_histogram* of_thread = &thread->histograms.preempt_wait;
  __u32 previous = segment->cpu, waker_tid = 0;
  __u16 waker_cpu = GILSCOPE_NO_CPU, placed_cpu = GILSCOPE_NO_CPU;
  __u8 began = gilscope_how_began(thread->asleep_ns, segment->run_ns, waker->woken_ns);
  __u64 ready = thread->out_ns;

  if (began == GILSCOPE_BEGAN_WOKEN) {
    ready = waker->woken_ns;
    waker_tid = waker->waker_tid;
    waker_cpu = waker->waker_cpu;
    placed_cpu = waker->placed_cpu;
    of_cpu = &account->histograms.wake_to_run;
    of_thread = &thread->histograms.wake_to_run;
    /* All four sides are counted here, so that they count the same wakeups. */
    COUNT_ON(subject, account, process, cpu, (__u32)waker_cpu, waker);
    COUNT_ON(subject, account, process, cpu, previous, previous);
    COUNT_ON(subject, account, process, cpu, (__u32)placed_cpu, placed);
    account->ran += 1;
    thread->wakeups += 1;
  }
  if (previous != cpu) {
    if (began == GILSCOPE_BEGAN_WOKEN) {
      account->migrations_wakeup += 1;
      thread->migrations_wakeup += 1;
    } else {
      account->migrations_preempt += 1;
      thread->migrations_preempt += 1;
    }
  }
  count_wait(account, of_cpu, of_thread, ready, now);
  segment->ready_ns = ready < now ? ready : now;
  segment->run_ns = now;
  segment->waker_tid = waker_tid;
  segment->cpu = cpu;
  segment->previous_cpu = previous;
  segment->waker_cpu = waker_cpu;
  segment->placed_cpu = placed_cpu;
  segment->began = began;
  thread->asleep_ns = 0;
  thread->cpu = cpu;
  thread->running = 1;
}

/* Some kernels switch without calling the tracepoint (seen on 6.18, when leaving the tasks of a
 * hypervisor's agent): the thread runs, and its switch-in was never seen. The CPU time that it has
 * been charged since its last switch-out tells when it was switched in. */
static __always_inline void open_unseen(bool subject, struct gilscope_thread* thread,
                                        struct gilscope_cpu* per_cpu, struct gilscope_cpu* account,
                                        __u32 process, __u32 cpu, __u64 now, __u64 exec) {
  __u64 came = now - (exec - thread->out_exec);
  if (came < per_cpu->since_ns || came > now) came = per_cpu->since_ns;
  count_occupant(per_cpu, per_cpu->occupant, came);
  per_cpu->since_ns = came;
  per_cpu->since_exec = thread->out_exec;
  open_segment(subject, thread, account, process, cpu, came,
               gilscope_waker_of_unseen(&thread->waking, thread->segment.run_ns, came));
}

/* Rare, so not inlined. */
static __noinline void open_unseen_segment(struct gilscope_thread* thread,
                                           struct gilscope_cpu* per_cpu, __u32 cpu, __u64 now,
                                           __u64 exec) {
  open_unseen(false, thread, per_cpu, per_cpu, 0, cpu, now, exec);
}

static __noinline void open_unseen_segment_of(struct gilscope_thread* thread,
                                              struct gilscope_cpu* per_cpu, __u32 process,
                                              __u64 now, __u64 exec) {
  __u32 cpu = bpf_get_smp_processor_id();
  struct gilscope_cpu* account = account_of(true, process, cpu);
  if (account) open_unseen(true, thread, per_cpu, account, process, cpu, now, exec);
}

/* --- switch-out --- */

/* Makes the record visible to the reader before the counter that announces it. x86 keeps stores in
 * order by itself. */
static __always_inline void gilscope_publish(__u64* counter, __u64 value) {
#ifdef __TARGET_ARCH_x86
  asm volatile("" ::: "memory");
  *(volatile __u64*)counter = value;
#else
  (void)value;
  __sync_fetch_and_add(counter, 1);
#endif
}

/* The place of the CPU's next record: in its buffer or, where that is full or there is none, a
 * place that nobody reads. The segment is put together in place, never copied. */
static __always_inline struct gilscope_segment* next_record(struct gilscope_cpu* per_cpu, __u32 cpu,
                                                            __u64 waiting) {
  __u32 at = cpu * records_per_cpu + ((__u32)per_cpu->written & (records_per_cpu - 1));
  struct gilscope_segment* record = NULL;
  if (write_records && likely(waiting < records_per_cpu)) {
    record = bpf_map_lookup_elem(&records, &at);
  }
  return likely(record) ? record : &per_cpu->unrecorded;
}

static __always_inline void publish_record(struct gilscope_cpu* per_cpu,
                                           struct gilscope_cpu* account, __u32 cpu, __u64 waiting,
                                           const struct gilscope_segment* record) {
  if (unlikely(record == &per_cpu->unrecorded)) {
    account->records_dropped += 1;
    return;
  }
  gilscope_publish(&per_cpu->written, per_cpu->written + 1);
  /* The reader sleeps until the doorbell rings: waking it costs the run a switch. `waiting` grows
   * by one at a time, so a buffer that fills rings once, at half. */
  if (unlikely(waiting + 1 == records_per_cpu / 2)) {
    bpf_ringbuf_output(&doorbell, &cpu, sizeof(cpu), BPF_RB_FORCE_WAKEUP);
  }
}

static __always_inline void add_segment(const struct gilscope_segment* segment,
                                        struct gilscope_thread* thread,
                                        struct gilscope_cpu* account, __u64 on_cpu) {
  account->segments += 1;
  account->on_cpu_ns += on_cpu;
#define GILSCOPE_ADD_own(field)
#define GILSCOPE_ADD_both(field)
#define GILSCOPE_ADD_remote(field)
#define GILSCOPE_ADD_running(field)
#define GILSCOPE_ADD_occupant(field)
#define GILSCOPE_ADD_gil(field) account->field += segment->field;
#define GILSCOPE_ADD_gil_of_models(field) GILSCOPE_ADD_gil(field)
#define GILSCOPE_ADD_subject(field)
#define CPU_NUMBER(path, field, csv, from, ...) GILSCOPE_ADD_##from(field)
#include "bpf/numbers.def"
  thread->segments += 1;
  thread->on_cpu_ns += on_cpu;
  if (gilscope_wasted_wakeup(segment)) {
    account->wasted_wakeups += 1;
    thread->wasted_wakeups += 1;
  }
  if (gilscope_holder_preempted(segment)) {
    account->holder_preempted += 1;
    thread->holder_preempted += 1;
  }
  gilscope_histogram_add_to_both(&account->histograms.run, &thread->histograms.run, on_cpu);
}

/* Puts into the segment of a real program what was seen of it, and adds it up. */
static __always_inline void take_outcome(struct gilscope_segment* segment,
                                         const struct gilscope_outcome* outcome,
                                         struct gilscope_thread* thread,
                                         struct gilscope_cpu* account) {
  segment->acquires = outcome->acquired;
  segment->contended = outcome->contended;
  segment->woken_lost = outcome->woken_lost;
  segment->timed_out = outcome->timed_out;
  segment->drop_requests = 0;
  segment->gil_state = outcome->gil_state;
  segment->seen = outcome->seen;
  thread->counted.contended += outcome->contended;
  thread->counted.woken_lost += outcome->woken_lost;
  thread->counted.timed_out += outcome->timed_out;
  thread->acquired_after_wait += outcome->acquired;
  account->acquired_after_wait += outcome->acquired;
  if (likely(!outcome->seen)) return;
  if (outcome->seen & GILSCOPE_SEEN_UNDECIDED) {
    thread->undecided += 1;
    account->undecided += 1;
  }
  if (outcome->seen & GILSCOPE_SEEN_MUTEX_SLEEP) {
    thread->mutex_sleeps += 1;
    account->mutex_sleeps += 1;
  }
  if (outcome->seen & GILSCOPE_SEEN_RELEASE_STALL) {
    thread->release_stalls += 1;
    account->release_stalls += 1;
  }
}

/* Closes the segment of a traced thread that is being switched out at `now`. `exec` is all the
 * CPU time that the kernel has charged the thread. A real program has no slot on the board:
 * `outcome` has what its segment counts. */
static __always_inline void close_segment(bool subject, struct gilscope_thread* thread,
                                          struct gilscope_cpu* per_cpu,
                                          struct gilscope_cpu* account, __u32 cpu, __u64 now,
                                          int voluntary, int asleep, __u64 exec,
                                          const struct gilscope_outcome* outcome) {
  const struct gilscope_segment* opened = &thread->segment;
  __u32 slot = opened->thread;
  struct gilscope_slot* on_board = subject ? NULL : bpf_map_lookup_elem(&board, &slot);
  if (unlikely(!subject && !on_board)) return;
  __u64 waiting = per_cpu->written - *(volatile __u64*)&per_cpu->taken;
  struct gilscope_segment* record = next_record(per_cpu, cpu, waiting);

  __u64 since = per_cpu->since_ns, run = opened->run_ns, leave = thread->leave_ns, end = now;
  /* A thread that entered after its switch-in has a segment shorter than its stay on the CPU. One
   * that was switched out between reading the clock and becoming active has an entry time before
   * this stay. */
  if (run < since) run = since;
  if (subject && unlikely(now >= window.close_ns) && !leave) leave = window.close_ns;
  if (unlikely(leave)) end = leave;
  if (unlikely(end < run)) {
    if (!leave) account->discarded += 1;
    end = run;
  }
  if (unlikely(run != since || end != now)) {
    per_cpu->harness_ns += in_window(since, run) + in_window(end, now);
  }
  /* Signed, in two's complement: the kernel reads its clock a little earlier than this program at
   * both ends, so a single difference may be negative and only the sum is meaningful. */
  if (likely(per_cpu->since_exec)) thread->stolen_ns += now - since - (exec - per_cpu->since_exec);

  record->ready_ns = opened->ready_ns;
  record->run_ns = run;
  record->end_ns = end;
  record->thread = slot;
  record->waker_tid = opened->waker_tid;
  record->cpu = cpu;
  record->previous_cpu = opened->previous_cpu;
  record->waker_cpu = opened->waker_cpu;
  record->placed_cpu = opened->placed_cpu;
  record->began = opened->began;
  if (subject) {
    take_outcome(record, outcome, thread, account);
  } else {
    gilscope_take_differences(record, on_board, &thread->counted);
  }
  record->ended = gilscope_how_ended(voluntary, record->gil_state);
  if (unlikely(leave)) record->ended = thread->exited ? GILSCOPE_ENDED_EXITED : GILSCOPE_ENDED_LEFT;
  thread->segment.cpu = cpu;
  thread->out_exec = exec;
  thread->out_ns = now;
  thread->asleep_ns = asleep ? now : 0;
  thread->running = 0;
  add_segment(record, thread, account, in_window(run, end));
  if (write_records) publish_record(per_cpu, account, cpu, waiting, record);

  if (unlikely(leave)) {
    thread->active = 0;
    thread->left_ns = leave;
    __sync_fetch_and_add(&window.left, 1);
  } else if (voluntary) {
    thread->voluntary_switches += 1;
  } else {
    thread->involuntary_switches += 1;
  }
}

#endif /* GILSCOPE_BPF_ACCOUNT_H */
