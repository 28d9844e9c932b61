// A report with its blocks put together: medians over blocks, and ratios within them, judged
// together by the rule of tools/analysis/judgement.h. The text report, the page and `show --json`
// print nothing else.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tools/analysis/counted_summary.h"
#include "tools/analysis/effect.h"
#include "tools/analysis/numbers.h"
#include "tools/analysis/steal.h"
#include "tools/analysis/verdict.h"
#include "userspace/report/model.h"

namespace gilscope {

struct CellSummary {
  const Cell* cell = nullptr;
  size_t runs = 0;       // measured, finished, and within the limits
  size_t disturbed = 0;  // measured, finished, and left out by limits
  bool traced = false;   // the medians below are of traced runs
  std::optional<double> wall_ns;
  std::optional<double> wakeups, wasted_share;  // over all CPUs; wakeups a run
  std::optional<double> drop_requests_per_s;
  // Traced over untraced wall time in the same block, minus 1; where runs are bounded by time, time
  // an operation. Slower: tracing costs something.
  std::optional<Effect> tracer_effect;
  std::optional<double> tracer_cost;
  std::optional<Interval> tracer_cost_interval;  // 95 %; empty: fewer than 6 blocks
  Verdict tracer_verdict = Verdict::undecided;
  // From warm-up runs, by the kernel's own clock: a BPF program's mean time, and the programs'
  // share of the time of the run's CPUs, both with the cost of timing them.
  std::optional<double> program_ns, program_share;
  std::vector<CpuSummary> cpus;
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
  bool traced = false;  // made of traced runs, since there are no untraced ones
  std::vector<BlockPair> blocks;
  std::optional<double> sequential_ns, threaded_ns;  // medians
  std::optional<Effect> effect;                      // threaded over sequential, block by block
  std::optional<double> slowdown;                    // its Hodges-Lehmann estimate
  std::optional<Interval> range;
  std::optional<Interval> interval;  // 95 %; empty: fewer than 6 blocks
  Verdict verdict = Verdict::undecided;

  const Cell& cell() const { return *(threaded ? threaded : sequential)->cell; }
};

// A cell with computing threads beside the measured ones, and the same cell without them.
struct RatePair {
  const CellSummary* alone = nullptr;
  const CellSummary* beside = nullptr;
  uint64_t background = 0;
  std::vector<double> ratios;    // of operations a second, beside over alone, by block
  std::optional<Effect> effect;  // a ratio, or a difference where a block got nothing done
  std::optional<double> ratio;
  std::optional<Interval> interval;  // 95 %; empty: fewer than 6 blocks, or the effect is no ratio
  Verdict verdict = Verdict::undecided;
};

struct LossSummary {
  Lost sum;
  size_t traced_runs = 0;
  size_t runs_with_dropped = 0;
  size_t runs_with_late_edges = 0;
};

// Measured runs that limits have left out of every number, and those that they could not judge.
struct DisturbanceSummary {
  struct Kind {
    double limit = 0;
    double worst = 0;                 // largest value above the limit
    size_t hits = 0, not_judged = 0;  // runs; one may hit several limits
  };
  size_t runs = 0;
  std::map<std::string, Kind> by_kind;
};

// Whether a run counts in derived numbers.
bool measured(const Run& run);

struct Summary {
  explicit Summary(const Report& report);
  Summary(const Summary&) = delete;  // its parts point to one another
  Summary& operator=(const Summary&) = delete;

  Times times;  // how times are shown
  std::vector<CellSummary> cells;
  std::vector<PairSummary> pairs;
  std::vector<RatePair> rates;
  LossSummary lost;
  DisturbanceSummary disturbances;
  size_t runs = 0;           // in whatever state
  size_t finished_runs = 0;  // done, warm-up runs included
  size_t failed_runs = 0;
  size_t measured_runs = 0;  // done, without warm-up runs, with those that limits have left out
  int measured_blocks = 0;   // with at least one finished run that the disturbance limits let pass
  int warmup_blocks = 0;
  StealSummary steal;

 private:
  void judge_ratios();
};

}  // namespace gilscope
