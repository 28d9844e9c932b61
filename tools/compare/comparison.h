// A whole comparison: every view prints this, and computes nothing of its own.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tools/analysis/verdict.h"
#include "tools/compare/differences.h"
#include "tools/compare/machines.h"
#include "tools/compare/sides.h"

namespace gilscope {

struct ComparisonOptions {
  SidesRequest sides;
  std::vector<std::string> metrics;  // primary; empty: those of the specs, or the default list
  double min_effect = 0.02;
  bool force = false;
  bool undecided_passes = true;
  bool missing_passes = false;
};

// The unit that a value stands for: a block, or, where kernels were booted several times, the
// median of one boot's blocks. More blocks of a boot do not show what that boot did to all of them.
enum class Unit { block, boot };

struct MachineResult {
  std::string machine;
  Unit unit = Unit::block;
  std::optional<Effect> effect;  // empty: `why` has the reason
  std::string reason;
};

struct MetricResult {
  size_t metric = 0;  // of metrics()
  bool primary = false;
  std::optional<double> median_a, median_b;  // with several machines: the median of their medians
  size_t blocks_a = 0, blocks_b = 0;         // sums over the machines
  Scale scale = Scale::ratio;
  std::optional<double> change;      // from a to b, a ratio or a difference
  std::optional<Interval> interval;  // of the change, 95 %
  double confidence = 0.95;          // of the interval
  double least = 0;                  // smallest change that matters; 0.02 stands for ratios, too
  bool all_zero = false;             // 0 on both sides: neither a change nor a p
  // `p` is this test's alone. `adjusted_p` is for all primary metrics of the comparison together,
  // or for all exploratory ones.
  std::optional<double> p, adjusted_p;
  Verdict verdict = Verdict::undecided;
  std::optional<size_t> more;    // blocks (or boots) on each side that would decide it
  bool at_least = false;         // it may take more than `more`
  bool too_many_needed = false;  // it would take more than kMaxMoreBlocks
  std::string absent_reason;     // the reason for no result: "not captured on the other side"
  // Absent on both sides, or a time of emulated CPUs, and nobody declared it.
  bool inapplicable = false;
  std::vector<MachineResult> machines;
  std::optional<CombinedEffect> combined;  // of several machines

  std::optional<double> ratio() const { return scale == Scale::ratio ? change : std::nullopt; }
  bool decided() const { return verdict != Verdict::same && verdict != Verdict::undecided; }
};

// Something that a side should have and lacks.
struct Missing {
  std::string side;     // the level; empty: both
  std::string cell;     // its name
  std::string what;     // "8 of 8 untraced runs failed (...)"
  bool passes = false;  // no reason to fail: limits left out a few runs, or no plan had it
};

struct UnfinishedReport {
  std::string report;  // the argument that named it
  std::string status;  // running, interrupted
  size_t blocks = 0, planned = 0;
};

struct CellResult {
  const CellPair* pair = nullptr;
  std::string name;  // of the keys that tell compared cells apart
  Design design = Design::unpaired;
  Unit unit = Unit::block;
  bool emulated = false;                       // some CPUs were emulated: only counts are compared
  std::vector<std::string> machines_left_out;  // machines that have one side only
  std::vector<MetricResult> metrics;           // primary ones first
  std::vector<Missing> missing;

  const MetricResult* lead() const;  // the first primary metric that is there: wall time, often
  size_t primary(Verdict verdict) const;
};

struct ContrastResult {
  const Contrast* contrast = nullptr;
  Differences differences;
  std::vector<CellResult> cells;
  std::vector<Missing> unmatched;  // cells that are on one side only

  std::vector<Missing> missing() const;  // unmatched cells, and what matched cells lack
};

struct Comparison {
  Comparison() = default;
  Comparison(Comparison&&) = default;  // results point into the reports
  Comparison& operator=(Comparison&&) = default;

  std::vector<ComparedReport> reports;
  Axis axis;
  std::vector<Contrast> contrasts;
  std::vector<ContrastResult> results;  // as contrasts
  double min_effect = 0.02;
  bool forced = false;  // there were reasons to refuse
  bool undecided_passes = true;
  bool missing_passes = false;
  std::vector<UnfinishedReport> unfinished;
  size_t tests = 0;              // tests of primary metrics, adjusted together
  size_t exploratory_tests = 0;  // tests of the others, adjusted together
  Arrangements arrangements;     // those that all p were counted over

  size_t primary(Verdict verdict) const;
  bool emulated() const;  // any cell was
  // The number of missing things that are a reason to fail, unfinished reports included.
  size_t missing() const;
  // 1 where a primary metric is worse, and where undecided metrics or missing things do not pass
  // but are there; otherwise 0.
  Exit exit() const;
};

Result<Comparison> compare(std::vector<ComparedReport> reports, const ComparisonOptions& options);

}  // namespace gilscope
