// The invariants of a traced run, as equalities.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>

#include "userspace/report/model.h"

namespace gilscope {

// Every invariant of a traced run that is done, whatever happened in it.
inline void expect_exact(const Run& run) {
  // Main enters right after the window opens, and leaves right before it closes.
  ASSERT_TRUE(run.opened_ns && run.window_ns);
  const ThreadTrace& main = *run.threads[0].trace;
  EXPECT_LE(*run.opened_ns, main.entered_ns);
  EXPECT_GE(*run.opened_ns + *run.window_ns, main.left_ns);
  FailedCounts failed;
  uint64_t acquires = 0, drop_requests = 0, segments = 0, dropped = 0;
  WakeupCounts wakeups;
  MigrationCounts migrations;
  for (const CpuTrace& cpu : run.cpus) {
    failed.contended += cpu.failed.contended;
    failed.woken_lost += cpu.failed.woken_lost;
    failed.timed_out += cpu.failed.timed_out;
    acquires += cpu.acquires.value_or(0);
    ASSERT_TRUE(cpu.drop_requests);
    drop_requests += *cpu.drop_requests;
    segments += cpu.segments;
    dropped += cpu.records_dropped;
    wakeups.waker += cpu.wakeups.waker;
    wakeups.previous += cpu.wakeups.previous;
    wakeups.placed += cpu.wakeups.placed;
    wakeups.ran += cpu.wakeups.ran;
    migrations.wakeup += cpu.migrations.wakeup;
    migrations.preempt += cpu.migrations.preempt;
    migrations.raw_in += cpu.migrations.raw_in;
    migrations.raw_out += cpu.migrations.raw_out;
    EXPECT_EQ(cpu.histograms.run.count(), cpu.segments);
    ASSERT_TRUE(cpu.observed);
    // Every moment of the window is accounted for, except where a virtual machine stood still at
    // the window's edges.
    const uint64_t sum = cpu.on_cpu_ns + *cpu.foreign_ns + *cpu.idle_ns + *cpu.harness_ns;
    EXPECT_LE(std::max(sum, *run.window_ns) - std::min(sum, *run.window_ns),
              *run.lost->window_late_ns)
        << "on CPU " << cpu.cpu;
  }
  EXPECT_EQ(failed, (FailedCounts{run.gil.contended, run.gil.woken_lost, run.gil.timed_out}));
  EXPECT_EQ(acquires, run.gil.acquires);
  EXPECT_EQ(drop_requests, run.gil.drop_requests);
  EXPECT_EQ(dropped, run.lost->segments);
  EXPECT_EQ(run.segment_records + run.lost->segments, segments);
  EXPECT_EQ(wakeups.previous, wakeups.ran);
  EXPECT_EQ(wakeups.placed, wakeups.ran);
  EXPECT_EQ(wakeups.waker, wakeups.ran);
  EXPECT_EQ(migrations.raw_in, migrations.raw_out);
  // Only a segment whose beginning the kernel did not report can seem to begin before its waking.
  EXPECT_LE(run.lost->discarded, run.lost->missed_switches);
  EXPECT_EQ(run.lost->untracked_threads, 0u);
  EXPECT_EQ(run.lost->recursion_misses, 0u);

  uint64_t of_threads = 0, woken = 0, raw_migrations = 0, moved = 0;
  for (const Thread& thread : run.threads) {
    ASSERT_TRUE(thread.trace) << thread.name;
    EXPECT_EQ(thread.trace->gil, thread.gil) << thread.name;
    of_threads += thread.trace->segments;
    woken += thread.trace->wakeups;
    raw_migrations += thread.trace->migrations_raw;
    // A thread that goes to sleep comes back by a wakeup and in no other way; no thread here gets a
    // signal. The kernel may not report a thread's first or last switch.
    const uint64_t slept = thread.trace->voluntary_switches, woke = thread.trace->wakeups;
    EXPECT_LE(std::max(slept, woke) - std::min(slept, woke), run.lost->missed_switches)
        << thread.name;
    EXPECT_LE(woke, thread.trace->raw_wakeups) << thread.name;
    moved += thread.trace->migrations_wakeup + thread.trace->migrations_preempt;
  }
  EXPECT_EQ(of_threads, segments);
  EXPECT_EQ(woken, wakeups.waker);
  EXPECT_EQ(raw_migrations, migrations.raw_in);
  EXPECT_EQ(moved, migrations.wakeup + migrations.preempt);
}

}  // namespace gilscope
