// What becomes of a cell with more and more CPUs: its slowdown, or its rate where it lasts for a
// set time, or else its first metric, for each count, with an interval, and where that bends.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tools/compare/comparison.h"

namespace gilscope {

struct CurvePoint {
  std::string level;  // "2", "all"
  std::optional<double> median;
  std::optional<Interval> interval;      // of the median, 95 %
  Verdict verdict = Verdict::undecided;  // against the baseline; of the baseline itself: same
};

struct Curve {
  std::string cell;
  std::vector<CurvePoint> points;  // in the order of the levels
  std::string bends;               // "differs from 1 CPU from 2 CPUs on; steepest from 2 to 4"
};

struct Curves {
  size_t metric = 0;  // of metrics()
  std::vector<Curve> curves;
};

// One for each metric that there is a line of. Empty unless CPU counts are compared, and more than
// two of them.
std::vector<Curves> curves(const Comparison& comparison);

}  // namespace gilscope
