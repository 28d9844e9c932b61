// A cell over growing CPU counts: its slowdown, or its rate where runs last for a set time, or else
// its first metric, with an interval at each count, and where the curve bends.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tools/compare/comparison.h"

namespace gilscope {

struct CurvePoint {
  std::string level;                     // "2", "all"
  std::optional<double> value;           // the estimate over the blocks
  std::optional<Interval> interval;      // 95 %
  Verdict verdict = Verdict::undecided;  // against the baseline; the baseline's own is `same`
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

// One for each metric that some cell is drawn by. Empty unless more than two CPU counts are
// compared.
std::vector<Curves> curves(const Comparison& comparison);

// "differs from 1 CPU with 4 CPUs; bends most between 2 and 4 CPUs": the first point whose
// difference from the baseline is decided, and the steepest step, as a ratio, between two points.
std::string bends(const std::vector<CurvePoint>& points, const Axis& axis);

}  // namespace gilscope
