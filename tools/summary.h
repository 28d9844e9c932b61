// What a report says once its blocks are put together: medians over blocks, and the slowdown within
// each. The text report and `show --json` print nothing else.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tools/analysis/statistics.h"
#include "tools/numbers.h"
#include "tools/steal.h"
#include "userspace/report/model.h"

namespace gilscope {

// One core of one cell: medians over its traced, measured, finished runs.
struct CoreSummary {
  int cpu = 0;
  std::optional<double> segments;
  std::optional<double> on_cpu_share, idle_share, foreign_share;  // of the window
  std::optional<double> waker, previous, placed, ran;             // wakeups, a run
  std::optional<double> migrations_wakeup, migrations_preempt;    // a run
  std::optional<double> acquires_per_s;
  std::optional<double> contended_per_s, woken_lost_per_s, timed_out_per_s;
  std::optional<double> wasted_share;  // of the wakeups that ran here
  std::optional<double> holder_preempted;
  std::optional<double> drop_requests_per_s;
  Histograms histograms;  // of all these runs
};

struct ThreadSummary {
  std::string name;
  std::optional<double> on_cpu_ns;  // the tracer's, or where there is none the kernel's own account
  std::optional<double> voluntary_switches, involuntary_switches;
  std::optional<double> wakeups, wasted_share;
  std::optional<double> migrations;
  std::optional<double> acquires, failed;
  std::optional<double> wake_to_run_p50_ns, wake_to_run_p99_ns;
  Histograms histograms;  // of all its traced runs
  bool perf = false;      // asked for
  std::optional<double> perf_switches, perf_migrations, instructions_per_cycle, cache_misses;
};

struct CellSummary {
  const Cell* cell = nullptr;
  size_t runs = 0;      // measured, finished, and let pass by the gates
  size_t gated = 0;     // measured, finished, and left out by them
  bool traced = false;  // the medians below are of traced runs
  std::optional<double> wall_ns;
  std::optional<double> wakeups, wasted_share;  // over all cores; wakeups a run
  std::optional<double> drop_requests_per_s;
  // Traced over untraced wall time within each block, minus 1; where runs are bounded by time, time
  // an operation.
  std::optional<double> tracer_cost;
  std::optional<Interval> tracer_cost_interval;  // 95 %; empty: fewer than 6 blocks
  // By the kernel's own clock, in warm-up runs: a BPF program's mean time, and the share that all
  // of them took of the time of the run's CPUs. Timing them is part of it.
  std::optional<double> program_ns, program_share;
  std::vector<CoreSummary> cores;
  std::vector<ThreadSummary> threads;
  std::map<std::string, double> results;  // the workload's own, medians over the runs of wall_ns

  std::optional<double> result(const std::string& key) const;
  bool bounded_by_time() const { return gilscope::bounded_by_time(*cell); }
};

struct BlockPair {
  int block = 0;
  double sequential_ns = 0, threaded_ns = 0;

  double slowdown() const { return threaded_ns / sequential_ns; }
};

// The sequential and the threaded cell of the same policy, workload, threads and CPUs.
struct PairSummary {
  const CellSummary* sequential = nullptr;  // either may be missing, never both
  const CellSummary* threaded = nullptr;
  bool traced = false;  // of traced runs, there being no untraced ones
  std::vector<BlockPair> blocks;
  std::optional<double> sequential_ns, threaded_ns, slowdown;
  std::optional<Interval> range;
  std::optional<Interval> interval;  // 95 %; empty: fewer than 6 blocks

  const Cell& cell() const { return *(threaded ? threaded : sequential)->cell; }
};

// A cell with computing threads beside the measured ones, and the same cell without them.
struct RatePair {
  const CellSummary* alone = nullptr;
  const CellSummary* beside = nullptr;
  uint64_t background = 0;
  std::vector<double> ratios;  // of operations a second, beside over alone, by block
  std::optional<double> ratio;
  std::optional<Interval> interval;  // 95 %; empty: fewer than 6 blocks
};

struct LossSummary {
  Lost sum;
  size_t traced_runs = 0;
  size_t runs_with_dropped = 0;
  size_t runs_with_late_edges = 0;
};

// What gates have left out of all the rest, and what they could not judge; of measured runs.
struct GateSummary {
  struct Gate {
    double limit = 0;
    double worst = 0;                 // of the values above it
    size_t hits = 0, not_judged = 0;  // runs; one may hit several gates
  };
  size_t runs = 0;
  std::map<std::string, Gate> by_gate;
};

// Whether a run counts in derived numbers.
bool measured(const Run& run);

struct Summary {
  explicit Summary(const Report& report);
  Summary(const Summary&) = delete;  // its parts point to one another
  Summary& operator=(const Summary&) = delete;

  Times times;  // how what is made of them is shown
  std::vector<CellSummary> cells;
  std::vector<PairSummary> pairs;
  std::vector<RatePair> rates;
  LossSummary lost;
  GateSummary gates;
  size_t runs = 0;           // of the report, in whatever state
  size_t finished_runs = 0;  // done, warm-up ones included
  size_t failed_runs = 0;
  size_t measured_runs = 0;  // done, those left out by gates included, warm-up ones not
  int measured_blocks = 0;   // with at least one finished run that the gates let pass
  int warmup_blocks = 0;
  StealSummary steal;
};

}  // namespace gilscope
