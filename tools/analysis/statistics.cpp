#include "tools/analysis/statistics.h"

#include <algorithm>
#include <cmath>

namespace gilscope {

std::optional<double> median(std::vector<double> values) {
  if (values.empty()) return std::nullopt;
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  if (values.size() % 2 == 1) return values[middle];
  return (values[middle - 1] + values[middle]) / 2;
}

std::optional<Interval> range(const std::vector<double>& values) {
  if (values.empty()) return std::nullopt;
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  return Interval{*low, *high};
}

std::optional<Interval> median_interval(std::vector<double> values) {
  const size_t n = values.size();
  const double log_two_to_n = double(n) * std::log(2.0);
  // Each value lies below the median with probability 1/2. `outside` is the probability that at
  // most k of n do, which is also the probability that at most k lie above.
  double outside = 0;
  std::optional<size_t> cut;
  for (size_t k = 0; k < n / 2; ++k) {
    const double log_choose =
        std::lgamma(double(n) + 1) - std::lgamma(double(k) + 1) - std::lgamma(double(n - k) + 1);
    outside += std::exp(log_choose - log_two_to_n);
    if (2 * outside > 0.05) break;
    cut = k;
  }
  if (!cut) return std::nullopt;
  std::sort(values.begin(), values.end());
  return Interval{values[*cut], values[n - 1 - *cut]};
}

}  // namespace gilscope
