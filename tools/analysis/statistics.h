// What is said of a handful of blocks: their median, and how far it can be trusted.
#pragma once

#include <optional>
#include <vector>

namespace gilscope {

struct Interval {
  double low = 0, high = 0;

  bool includes(double value) const { return low <= value && value <= high; }
};

// Empty without values.
std::optional<double> median(std::vector<double> values);
std::optional<Interval> range(const std::vector<double>& values);

// 95 % interval of the median by order statistics: two values of the sample, chosen by the exact
// binomial distribution, whatever the values are distributed like. Empty below 6 values, where even
// the smallest and the largest do not reach 95 %.
std::optional<Interval> median_interval(std::vector<double> values);

}  // namespace gilscope
