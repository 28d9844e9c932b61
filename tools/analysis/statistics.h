// Plain statistics of a handful of values.
#pragma once

#include <optional>
#include <vector>

namespace gilscope {

struct Interval {
  double low = 0, high = 0;

  bool includes(double value) const { return low <= value && value <= high; }
};

// Both are empty without values.
std::optional<double> median(std::vector<double> values);
std::optional<Interval> range(const std::vector<double>& values);

// 95 % interval of the median by order statistics, for the benchmarks in tests/bench: two values of
// the sample, chosen by the exact binomial distribution, whatever the values' distribution. Empty
// below 6 values, where even the smallest and the largest do not reach 95 %. Reports are judged by
// tools/analysis/judgement.h.
std::optional<Interval> median_interval(std::vector<double> values);

}  // namespace gilscope
