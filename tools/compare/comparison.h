// A whole comparison, reckoned: every view prints this and works out nothing of its own.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tools/analysis/verdict.h"
#include "tools/compare/boxes.h"
#include "tools/compare/differences.h"
#include "tools/compare/sides.h"

namespace gilscope {

struct ComparisonOptions {
  SidesRequest sides;
  std::vector<std::string> metrics;  // primary ones; empty: those of the specs, or the default
  double min_effect = 0.02;
  bool force = false;
  bool undecided_passes = true;
  bool missing_passes = false;
};

// What a value stands for: a block, or, where kernels have been booted several times, the median of
// the blocks of one boot. What a boot does to all of its blocks is not told by more of them.
enum class Unit { block, boot };

struct BoxResult {
  std::string box;
  Unit unit = Unit::block;
  std::optional<Effect> effect;  // empty: why says why
  std::string why;
};

struct MetricResult {
  size_t metric = 0;  // of metrics()
  bool primary = false;
  std::optional<double> median_a, median_b;  // of several boxes: of their medians
  size_t blocks_a = 0, blocks_b = 0;         // of all boxes
  Scale scale = Scale::ratio;
  std::optional<double> change;      // of b to a, a ratio or a difference
  std::optional<Interval> interval;  // of it, 95 %
  double confidence = 0.95;          // what the interval reaches
  double least = 0;                  // nobody cares for a smaller change: as 0.02 for ratios, too
  bool all_zero = false;             // on both sides: neither a change nor a p
  // p is of this test alone; adjusted, of all primary metrics of the whole comparison together, or
  // of all exploratory ones.
  std::optional<double> p, adjusted_p;
  Verdict verdict = Verdict::undecided;
  std::optional<size_t> more;  // blocks (or boots) on each side that would decide it
  bool at_least = false;       // there may be more to it than `more`
  bool not_worth_it = false;   // it would take more than kMostMoreBlocks
  std::string absent;          // why there is nothing: "not captured on the other side"
  // Absent on both sides, or a time of emulated CPUs, and nobody declared it.
  bool inapplicable = false;
  std::vector<BoxResult> boxes;
  std::optional<CombinedEffect> combined;  // of several boxes

  std::optional<double> ratio() const { return scale == Scale::ratio ? change : std::nullopt; }
  bool decided() const { return verdict != Verdict::same && verdict != Verdict::undecided; }
};

// What a side should have and has not.
struct Missing {
  std::string side;     // the level; empty: both
  std::string cell;     // its name
  std::string what;     // "8 of 8 untraced runs failed (...)"
  bool passes = false;  // gates left out a few runs, or it was in no plan: no reason to fail
};

struct UnfinishedReport {
  std::string report;  // as it was named
  std::string status;  // running, interrupted
  size_t blocks = 0, planned = 0;
};

struct CellResult {
  const CellPair* pair = nullptr;
  std::string name;  // by what tells the compared cells apart
  Design design = Design::unpaired;
  Unit unit = Unit::block;
  bool emulated = false;                    // some CPUs were: counts alone are compared
  std::vector<std::string> boxes_left_out;  // that have one side only
  std::vector<MetricResult> metrics;        // primary ones first
  std::vector<Missing> missing;

  const MetricResult* lead() const;  // wall time, or what comes first
  size_t primary(Verdict verdict) const;
};

struct ContrastResult {
  const Contrast* contrast = nullptr;
  Differences differences;
  std::vector<CellResult> cells;
  std::vector<Missing> unmatched;  // cells that are on one side only

  std::vector<Missing> missing() const;  // those, and what the cells lack
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
  size_t tests = 0;              // that the p of primary metrics is adjusted for
  size_t exploratory_tests = 0;  // and that of the others
  Arrangements arrangements;     // that both were taken from

  size_t primary(Verdict verdict) const;
  bool emulated() const;  // in any cell
  // How much is missing that is a reason to fail: of cells, on a side each, and reports.
  size_t missing() const;
  // 1 where a primary metric is worse, or undecided and that does not pass, or where something is
  // missing and that does not pass; else 0.
  Exit exit() const;
};

Result<Comparison> compare(std::vector<ComparedReport> reports, const ComparisonOptions& options);

}  // namespace gilscope
