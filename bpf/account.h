/* SPDX-License-Identifier: GPL-2.0-only
 *
 * The accounting behind the programs: what a switch-out closes, what a switch-in opens, and what
 * each adds to its CPU and its thread. Everything here runs on `cpu` with interrupts off, so a
 * CPU's own counts need no atomics; what belongs to another CPU goes to that CPU's `remote`.
 */
#ifndef GILSCOPE_BPF_ACCOUNT_H
#define GILSCOPE_BPF_ACCOUNT_H

#include "bpf/histogram.h"
#include "bpf/kernel.h"
#include "bpf/maps.h"
#include "bpf/segment.h"
#include "bpf/waking.h"
#include "bpf/window.h"

static __always_inline struct gilscope_cpu* per_cpu_of(__u32 cpu) {
  return bpf_map_lookup_elem(&cpus, &cpu);
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

#define COUNT_ON(per_cpu_here, cpu_here, cpu, field)            \
  do {                                                          \
    if ((cpu) == (cpu_here)) {                                  \
      (per_cpu_here)->field += 1;                               \
    } else {                                                    \
      struct gilscope_cpu* other = per_cpu_of(cpu);             \
      if (other) __sync_fetch_and_add(&other->remote.field, 1); \
    }                                                           \
  } while (0)

/* Adds a wait to the histograms if it ended in the window, else counts it as censored. */
static __always_inline void count_wait(struct gilscope_cpu* per_cpu,
                                       struct gilscope_histogram* of_cpu,
                                       struct gilscope_histogram* of_thread, __u64 from, __u64 to) {
  if (unlikely(to < from)) {
    per_cpu->discarded += 1;
  } else if (unlikely(to > window.close_ns)) {
    per_cpu->censored += 1;
  } else {
    gilscope_histogram_add_to_both(of_cpu, of_thread, to - from);
  }
}

/* --- who has the CPU --- */

static __always_inline void count_occupant(struct gilscope_cpu* per_cpu, __u32 occupant,
                                           __u64 now) {
  __u64 span = in_window(per_cpu->since_ns, now);
  if (occupant == GILSCOPE_IDLE) per_cpu->idle_ns += span;
  if (occupant == GILSCOPE_FOREIGN) per_cpu->foreign_ns += span;
  if (occupant == GILSCOPE_HARNESS) per_cpu->harness_ns += span;
}

/* --- switch-in --- */

static __always_inline void open_segment(struct gilscope_thread* thread,
                                         struct gilscope_cpu* per_cpu, __u32 cpu, __u64 now,
                                         const struct gilscope_waker* waker) {
  struct gilscope_segment* segment = &thread->segment;
  struct gilscope_histogram* of_cpu = &per_cpu->histograms.preempt_wait;
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
    of_cpu = &per_cpu->histograms.wake_to_run;
    of_thread = &thread->histograms.wake_to_run;
    /* All four sides are counted here, so that they count the same wakeups. */
    COUNT_ON(per_cpu, cpu, (__u32)waker_cpu, waker);
    COUNT_ON(per_cpu, cpu, previous, previous);
    COUNT_ON(per_cpu, cpu, (__u32)placed_cpu, placed);
    per_cpu->ran += 1;
    thread->wakeups += 1;
  }
  if (previous != cpu) {
    if (began == GILSCOPE_BEGAN_WOKEN) {
      per_cpu->migrations_wakeup += 1;
      thread->migrations_wakeup += 1;
    } else {
      per_cpu->migrations_preempt += 1;
      thread->migrations_preempt += 1;
    }
  }
  count_wait(per_cpu, of_cpu, of_thread, ready, now);
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
 * been charged since its last switch-out tells when it was switched in. Rare, so not inlined. */
static __noinline void open_unseen_segment(struct gilscope_thread* thread,
                                           struct gilscope_cpu* per_cpu, __u32 cpu, __u64 now,
                                           __u64 exec) {
  __u64 came = now - (exec - thread->out_exec);
  if (came < per_cpu->since_ns || came > now) came = per_cpu->since_ns;
  count_occupant(per_cpu, per_cpu->occupant, came);
  per_cpu->since_ns = came;
  per_cpu->since_exec = thread->out_exec;
  open_segment(thread, per_cpu, cpu, came,
               gilscope_waker_of_unseen(&thread->waking, thread->segment.run_ns, came));
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

static __always_inline void publish_record(struct gilscope_cpu* per_cpu, __u32 cpu, __u64 waiting,
                                           const struct gilscope_segment* record) {
  if (unlikely(record == &per_cpu->unrecorded)) {
    per_cpu->records_dropped += 1;
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
                                        struct gilscope_cpu* per_cpu, __u64 on_cpu) {
  per_cpu->segments += 1;
  per_cpu->on_cpu_ns += on_cpu;
#define GILSCOPE_ADD_own(field)
#define GILSCOPE_ADD_both(field)
#define GILSCOPE_ADD_remote(field)
#define GILSCOPE_ADD_running(field)
#define GILSCOPE_ADD_occupant(field)
#define GILSCOPE_ADD_gil(field) per_cpu->field += segment->field;
#define CPU_NUMBER(path, field, csv, from, ...) GILSCOPE_ADD_##from(field)
#include "bpf/numbers.def"
  thread->segments += 1;
  thread->on_cpu_ns += on_cpu;
  if (gilscope_wasted_wakeup(segment)) {
    per_cpu->wasted_wakeups += 1;
    thread->wasted_wakeups += 1;
  }
  if (gilscope_holder_preempted(segment)) {
    per_cpu->holder_preempted += 1;
    thread->holder_preempted += 1;
  }
  gilscope_histogram_add_to_both(&per_cpu->histograms.run, &thread->histograms.run, on_cpu);
}

/* Closes the segment of a traced thread that is being switched out at `now`. `exec` is all the
 * CPU time that the kernel has charged the thread. */
static __always_inline void close_segment(struct gilscope_thread* thread,
                                          struct gilscope_cpu* per_cpu, __u32 cpu, __u64 now,
                                          int voluntary, int asleep, __u64 exec) {
  const struct gilscope_segment* opened = &thread->segment;
  __u32 slot = opened->thread;
  struct gilscope_slot* on_board = bpf_map_lookup_elem(&board, &slot);
  if (unlikely(!on_board)) return;
  __u64 waiting = per_cpu->written - *(volatile __u64*)&per_cpu->taken;
  struct gilscope_segment* record = next_record(per_cpu, cpu, waiting);

  __u64 since = per_cpu->since_ns, run = opened->run_ns, leave = thread->leave_ns, end = now;
  /* A thread that entered after its switch-in has a segment shorter than its stay on the CPU. One
   * that was switched out between reading the clock and becoming active has an entry time before
   * this stay. */
  if (run < since) run = since;
  if (unlikely(leave)) end = leave;
  if (unlikely(end < run)) {
    if (!leave) per_cpu->discarded += 1;
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
  gilscope_take_differences(record, on_board, &thread->counted);
  record->ended = gilscope_how_ended(voluntary, record->gil_state);
  if (unlikely(leave)) record->ended = thread->exited ? GILSCOPE_ENDED_EXITED : GILSCOPE_ENDED_LEFT;
  thread->segment.cpu = cpu;
  thread->out_exec = exec;
  thread->out_ns = now;
  thread->asleep_ns = asleep ? now : 0;
  thread->running = 0;
  add_segment(record, thread, per_cpu, in_window(run, end));
  if (write_records) publish_record(per_cpu, cpu, waiting, record);

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
