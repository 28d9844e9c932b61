// The findings from segments of real runs: their sums equal the counters, and no time is left over.
#include "tools/trace/trace_findings.h"

#include <gtest/gtest.h>

#include "tests/kernel/program.h"
#include "tools/trace/gil_spans.h"
#include "tools/trace/report_findings.h"
#include "userspace/report/json.h"

namespace gilscope {
namespace {

void expect_the_counters(const TraceFindings& findings, const Run& run) {
  uint64_t on_cpu_ns = 0, wakeups = 0, wasted = 0, migrations = 0, moves = 0;
  for (const CpuTrace& cpu : run.cpus) {
    on_cpu_ns += cpu.on_cpu_ns;
    wakeups += cpu.wakeups.ran;
    wasted += cpu.wasted_wakeups;
    migrations += cpu.migrations.wakeup + cpu.migrations.preempt;
  }
  for (const auto& [cpus, count] : findings.moves) moves += count;
  EXPECT_EQ(findings.records, run.segment_records);
  EXPECT_EQ(findings.on_cpu_ns, on_cpu_ns);
  EXPECT_EQ(findings.wakeups, wakeups);
  EXPECT_EQ(findings.wasted_wakeups, wasted);
  EXPECT_EQ(moves, migrations);
  EXPECT_EQ(findings.acquires, run.gil.acquires);
  EXPECT_EQ(findings.failed,
            (FailedCounts{run.gil.contended, run.gil.woken_lost, run.gil.timed_out}));
  uint64_t woken = 0;
  for (const auto& row : findings.wakers) {
    for (const uint64_t count : row) woken += count;
  }
  EXPECT_EQ(woken, wakeups);
}

void expect_no_time_left(const TraceFindings& findings, const Cell& cell, const Run& run) {
  EXPECT_EQ(findings.span_ns, *run.window_ns);
  EXPECT_EQ(findings.gil.has_value(), has_one_owner(cell));
  if (!findings.gil) return;
  const GilUse& use = *findings.gil;
  EXPECT_EQ(use.held_ns() + use.free_ns, findings.span_ns);
  EXPECT_LE(use.idle_while_free_ns, use.free_ns);
  EXPECT_LE(use.overlapping_ns, use.held_ns());
  EXPECT_EQ(use.handoffs, use.handoffs_unseen + use.handoff.count());
  uint64_t convoys = 0;
  for (const auto& [waiters, handoffs] : use.convoy) convoys += handoffs;
  EXPECT_EQ(convoys, use.handoffs);
  EXPECT_LE(use.handoffs, findings.acquires);
}

TEST(TraceFindings, AddUpToTheCounters) {
  Scratch scratch;
  const std::string out = scratch.path("out");
  const Ended ended = gilscope_run({"run",
                                    "--policy",
                                    "check-interval:100",
                                    "--policy",
                                    "switch-interval:5ms",
                                    "--policy",
                                    "fifo:100",
                                    "--policy",
                                    "pypy",
                                    "--policy",
                                    "gvl-handoff:10ms",
                                    "--policy",
                                    "sharded:16",
                                    "--policy",
                                    "none",
                                    "--workload",
                                    "count:n=300k",
                                    "--workload",
                                    "echo:background=1,seconds=100ms",
                                    "--arrangement",
                                    "threaded",
                                    "--threads",
                                    "4",
                                    "--warmup",
                                    "0",
                                    "--blocks",
                                    "1",
                                    "--out",
                                    out,
                                    "--quiet"});
  ASSERT_EQ(ended.status, 0) << ended.err;
  auto report = read_report(out);
  ASSERT_TRUE(report);
  auto directory = TraceDirectory::of(out);
  ASSERT_TRUE(directory);
  int checked = 0;
  for (const Cell& cell : report->cells) {
    for (const auto& run : cell.runs) {
      if (!run.traced()) continue;
      SCOPED_TRACE(cell.policy + " " + cell.workload);
      auto trace = RunTrace::open(*directory, *report, cell, run);
      ASSERT_TRUE(trace) << trace.error().message;
      auto findings = trace_findings(*trace);
      ASSERT_TRUE(findings) << findings.error().message;
      EXPECT_EQ(findings->dropped, 0u);
      expect_the_counters(*findings, run);
      expect_no_time_left(*findings, cell, run);
      checked += 1;
    }
  }
  EXPECT_EQ(checked, 14);
}

}  // namespace
}  // namespace gilscope
