/* SPDX-License-Identifier: GPL-2.0-only
 *
 * The accounting behind the programs: what a switch-out closes, what a switch-in opens, and what
 * each adds to its core and its thread. Everything here runs with interrupts off on `cpu`, so a
 * core's own counts need no atomics; what belongs to another core goes to that core's `remote`.
 */
#ifndef GILSCOPE_BPF_ACCOUNT_H
#define GILSCOPE_BPF_ACCOUNT_H

#include "bpf/histogram.h"
#include "bpf/maps.h"
#include "bpf/segment.h"
#include "bpf/window.h"

static __always_inline struct gilscope_core* core_of(__u32 cpu) {
  return bpf_map_lookup_elem(&cores, &cpu);
}

/* The traced thread with this tid, or NULL. */
static __always_inline struct gilscope_thread* thread_of(__u32 tid, __u32* slot) {
  __u64* found = bpf_map_lookup_elem(&slot_of_tid, &tid);
  if (!found || !*found) return NULL;
  *slot = (__u32)*found - 1;
  struct gilscope_thread* thread = bpf_map_lookup_elem(&threads, slot);
  return thread && thread->active ? thread : NULL;
}

static __always_inline __u64 in_window(__u64 from, __u64 to) {
  return gilscope_within(from, to, window.open_ns, window.close_ns);
}

#define COUNT_ON(core_here, cpu_here, cpu, field)               \
  do {                                                          \
    if ((cpu) == (cpu_here)) {                                  \
      (core_here)->field += 1;                                  \
    } else {                                                    \
      struct gilscope_core* other = core_of(cpu);               \
      if (other) __sync_fetch_and_add(&other->remote.field, 1); \
    }                                                           \
  } while (0)

/* A wait that ended in the window goes to the histograms; one that outlived it is censored. */
static __always_inline void count_wait(struct gilscope_core* core,
                                       struct gilscope_histogram* of_core,
                                       struct gilscope_histogram* of_thread, __u64 from, __u64 to) {
  if (to < from) {
    core->discarded += 1;
  } else if (window.close_ns && to > window.close_ns) {
    core->censored += 1;
  } else {
    gilscope_histogram_add_to_both(of_core, of_thread, to - from);
  }
}

/* --- who has the core --- */

static __always_inline void count_occupant(struct gilscope_core* core, __u32 occupant, __u64 now) {
  __u64 span = in_window(core->since_ns, now);
  if (occupant == GILSCOPE_IDLE) core->idle_ns += span;
  if (occupant == GILSCOPE_FOREIGN) core->foreign_ns += span;
  if (occupant == GILSCOPE_HARNESS) core->harness_ns += span;
}

/* --- switch-in --- */

static __always_inline void open_segment(struct gilscope_thread* thread, struct gilscope_core* core,
                                         __u32 cpu, __u64 now) {
  struct gilscope_waking* waking = &thread->waking;
  __u8 began = gilscope_how_began(thread->ended, waking->waker.pending);
  int migrated = thread->last_cpu != cpu;

  thread->run_ns = now;
  thread->began = began;
  if (began == GILSCOPE_BEGAN_WOKEN) {
    if (waking->placed_cpu == GILSCOPE_NO_CPU) waking->placed_cpu = thread->cpu;
    thread->waker_tid = waking->waker.waker_tid;
    thread->waker_cpu = waking->waker.waker_cpu;
    thread->placed_cpu = waking->placed_cpu;
    thread->ready_ns = waking->waker.woken_ns < now ? waking->waker.woken_ns : now;
    count_wait(core, &core->histograms.wake_to_run, &thread->histograms.wake_to_run,
               waking->waker.woken_ns, now);
    /* All four sides of the wakeup here, so that they count the same wakeups. */
    COUNT_ON(core, cpu, (__u32)waking->waker.waker_cpu, waker);
    COUNT_ON(core, cpu, (__u32)thread->last_cpu, previous);
    COUNT_ON(core, cpu, (__u32)waking->placed_cpu, placed);
    waking->wakeups += 1;
    core->ran += 1;
    core->migrations_wakeup += migrated;
    thread->migrations_wakeup += migrated;
  } else {
    thread->ready_ns = thread->out_ns;
    count_wait(core, &core->histograms.preempt_wait, &thread->histograms.preempt_wait,
               thread->out_ns, now);
    core->migrations_preempt += migrated;
    thread->migrations_preempt += migrated;
  }
  waking->waker.pending = 0;
  thread->previous_cpu = thread->last_cpu;
  thread->last_cpu = cpu;
  thread->cpu = cpu;
  thread->running = 1;
}

/* Some kernels switch without telling (seen on 6.18, when leaving the tasks of a hypervisor's
 * agent): the thread runs, and its switch-in was never seen. What it has been charged since it was
 * last switched out says when it came. */
static __always_inline void open_unseen_segment(struct gilscope_thread* thread,
                                                struct gilscope_core* core, __u32 cpu, __u64 now,
                                                __u64 exec) {
  __u64 came = now - (exec - thread->out_exec);
  if (came < core->since_ns || came > now) came = core->since_ns;
  count_occupant(core, core->occupant, came);
  core->since_ns = came;
  core->since_exec = thread->out_exec;
  open_segment(thread, core, cpu, came);
}

/* --- switch-out --- */

/* The reader sees the record before it sees that it is there. x86 keeps stores in order by itself.
 */
static __always_inline void gilscope_publish(__u64* counter, __u64 value) {
#ifdef __TARGET_ARCH_x86
  asm volatile("" ::: "memory");
  *(volatile __u64*)counter = value;
#else
  (void)value;
  __sync_fetch_and_add(counter, 1);
#endif
}

static __always_inline void write_record(const struct gilscope_segment* segment,
                                         struct gilscope_core* core, __u32 cpu) {
  __u64 written = core->written;
  __u64 waiting = written - *(volatile __u64*)&core->taken;
  __u32 at = cpu * records_per_core + ((__u32)written & (records_per_core - 1));
  struct gilscope_segment* record = NULL;
  if (waiting < records_per_core) record = bpf_map_lookup_elem(&records, &at);
  if (!record) {
    core->records_dropped += 1;
    return;
  }
  __builtin_memcpy(record, segment, sizeof(*record));
  gilscope_publish(&core->written, written + 1);
  /* The reader sleeps until then: waking it costs the run a switch. What waits grows by one at a
   * time, so a row that fills passes its half, and rings once for it. */
  if (waiting + 1 == records_per_core / 2) {
    bpf_ringbuf_output(&doorbell, &cpu, sizeof(cpu), BPF_RB_FORCE_WAKEUP);
  }
}

static __always_inline void add_segment(const struct gilscope_segment* segment,
                                        struct gilscope_thread* thread,
                                        struct gilscope_core* core) {
  __u64 on_cpu = in_window(segment->run_ns, segment->end_ns);
  core->segments += 1;
  core->on_cpu_ns += on_cpu;
  core->acquires += segment->acquires;
  core->contended += segment->contended;
  core->woken_lost += segment->woken_lost;
  core->timed_out += segment->timed_out;
  core->drop_requests += segment->drop_requests;
  thread->segments += 1;
  thread->on_cpu_ns += on_cpu;
  if (gilscope_wasted_wakeup(segment)) {
    core->wasted_wakeups += 1;
    thread->wasted_wakeups += 1;
  }
  if (gilscope_holder_preempted(segment)) {
    core->holder_preempted += 1;
    thread->holder_preempted += 1;
  }
  gilscope_histogram_add_to_both(&core->histograms.run, &thread->histograms.run, on_cpu);
}

/* Closes the segment of a traced thread that is being switched out at `now`. `exec` is all the
 * CPU time that the kernel has charged it for. */
static __always_inline void close_segment(struct gilscope_thread* thread, __u32 slot,
                                          struct gilscope_core* core, __u32 cpu, __u64 now,
                                          int voluntary, __u64 exec) {
  struct gilscope_slot* on_board = bpf_map_lookup_elem(&board, &slot);
  if (!on_board) return;

  __u64 leave = thread->leave_ns;
  /* A thread that entered after it was switched in has a shorter segment than stay; and if it was
   * switched out between reading the clock and becoming active, an entry time before this stay. */
  __u64 run = thread->run_ns > core->since_ns ? thread->run_ns : core->since_ns;
  __u64 end = leave ? leave : now;
  if (end < run) {
    if (!leave) core->discarded += 1;
    end = run;
  }

  struct gilscope_segment segment = {
      .ready_ns = thread->ready_ns,
      .run_ns = run,
      .end_ns = end,
      .thread = slot,
      .cpu = cpu,
      .previous_cpu = thread->previous_cpu,
      .waker_cpu = GILSCOPE_NO_CPU,
      .placed_cpu = GILSCOPE_NO_CPU,
      .began = thread->began,
  };
  if (thread->began == GILSCOPE_BEGAN_WOKEN) {
    segment.waker_tid = thread->waker_tid;
    segment.waker_cpu = thread->waker_cpu;
    segment.placed_cpu = thread->placed_cpu;
  }
  gilscope_take_differences(&segment, on_board, &thread->counted);
  segment.ended = gilscope_how_ended(voluntary, segment.gil_state);
  if (leave) segment.ended = thread->exited ? GILSCOPE_ENDED_EXITED : GILSCOPE_ENDED_LEFT;
  thread->counted = *on_board;
  thread->out_exec = exec;
  thread->running = 0;
  thread->ended = segment.ended;
  thread->out_ns = now;

  __u64 stay = now - core->since_ns;
  __u64 before = run - core->since_ns, after = now - end;
  if (before + after) core->harness_ns += in_window(core->since_ns, run) + in_window(end, now);
  /* Signed, in two's complement: the kernel reads its clock a little before us at both ends, so
   * single differences may be negative and only the sum means something. */
  if (core->since_exec) thread->stolen_ns += stay - (exec - core->since_exec);

  add_segment(&segment, thread, core);
  if (leave) {
    thread->active = 0;
    thread->left_ns = leave;
    __sync_fetch_and_add(&window.left, 1);
  } else if (voluntary) {
    thread->voluntary_switches += 1;
  } else {
    thread->involuntary_switches += 1;
  }
  if (write_records) write_record(&segment, core, cpu);
}

#endif /* GILSCOPE_BPF_ACCOUNT_H */
