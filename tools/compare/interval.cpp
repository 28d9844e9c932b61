#include "tools/compare/interval.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>

#include "tools/compare/permutation.h"
#include "tools/compare/quantiles.h"
#include "tools/compare/ranks.h"

namespace gilscope {
namespace {

// Logarithms of doubles lie within 745 of 0. Those of 0 are stood in for by numbers far outside,
// and which of the two is further decides how 0 to 0 leans.
constexpr double kNear = 1e6, kFar = 4e6, kOpen = 1e5;

enum class Lean { low, high };

double log_of(double value, bool of_b, Lean lean) {
  if (value > 0) return std::log(value);
  return of_b == (lean == Lean::low) ? -kFar : -kNear;
}

double ratio_of(double log_ratio) {
  if (log_ratio < -kOpen) return 0;
  if (log_ratio > kOpen) return std::numeric_limits<double>::infinity();
  return std::exp(log_ratio);
}

// Doubles in their order as whole numbers in theirs, so that halving between two of them ends.
int64_t place_of(double value) {
  const auto bits = std::bit_cast<int64_t>(value);
  return bits >= 0 ? bits : std::numeric_limits<int64_t>::min() - bits;
}

double value_at(int64_t place) {
  return std::bit_cast<double>(place >= 0 ? place : std::numeric_limits<int64_t>::min() - place);
}

// What all the pairs of two sorted lists come to, none of it written down: with a thousand blocks a
// side it would be a million numbers.
class Combinations {
 public:
  virtual ~Combinations() = default;
  virtual uint64_t size() const = 0;
  virtual uint64_t at_most(double value) const = 0;

  // Counted from 1.
  double smallest(uint64_t rank) const {
    int64_t low = place_of(-10 * kFar), high = place_of(10 * kFar);
    while (low < high) {
      const int64_t middle = std::midpoint(low, high - 1);
      if (at_most(value_at(middle)) >= rank) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    return value_at(low);
  }

  double largest(uint64_t rank) const { return smallest(size() + 1 - rank); }
};

// Walsh's averages: the means of every two differences, and of each with itself.
class Averages : public Combinations {
 public:
  explicit Averages(std::vector<double> differences) : differences_(std::move(differences)) {
    std::sort(differences_.begin(), differences_.end());
  }

  uint64_t size() const override {
    return uint64_t(differences_.size()) * (differences_.size() + 1) / 2;
  }

  uint64_t at_most(double value) const override {
    uint64_t count = 0;
    size_t end = differences_.size();
    for (size_t i = 0; i < end; ++i) {
      while (end > i && (differences_[i] + differences_[end - 1]) / 2 > value) --end;
      count += end - i;
    }
    return count;
  }

 private:
  std::vector<double> differences_;
};

class Differences : public Combinations {
 public:
  Differences(std::vector<double> a, std::vector<double> b) : a_(std::move(a)), b_(std::move(b)) {
    std::sort(a_.begin(), a_.end());
    std::sort(b_.begin(), b_.end());
  }

  uint64_t size() const override { return uint64_t(a_.size()) * b_.size(); }

  uint64_t at_most(double value) const override {
    uint64_t count = 0;
    size_t end = 0;
    for (const double a : a_) {
      while (end < b_.size() && b_[end] - a <= value) ++end;
      count += end;
    }
    return count;
  }

 private:
  std::vector<double> a_, b_;
};

// Which of the smallest, and of the largest, is the interval's end; 0: none.
struct Cut {
  uint64_t rank = 0;
  double confidence = 0;
};

constexpr double kOutside = 0.05;

// The distribution of doubled rank sums that begins at `least`.
Cut cut_of(const std::vector<double>& probability, size_t least) {
  Cut cut;
  double below = 0;
  for (size_t sum = least; sum < probability.size(); sum += 2) {
    below += probability[sum];
    if (2 * below > kOutside) break;
    cut = {cut.rank + 1, 1 - 2 * below};
  }
  return cut;
}

// Where there are so many blocks that the sums are normal.
Cut normal_cut(double mean, double variance) {
  const double z = normal_quantile(1 - kOutside / 2);
  return {static_cast<uint64_t>(mean - z * std::sqrt(variance)), 1 - kOutside};
}

Cut paired_cut(size_t pairs) {
  if (signed_rank_steps(pairs) <= PermutationLimits().steps) {
    return cut_of(signed_rank_distribution(distinct_doubled_ranks(pairs)), 0);
  }
  const double n = double(pairs);
  return normal_cut(n * (n + 1) / 4, n * (n + 1) * (2 * n + 1) / 24);
}

Cut unpaired_cut(size_t a, size_t b) {
  const size_t taken = std::min(a, b);
  if (rank_sum_steps(a + b, taken) <= PermutationLimits().steps) {
    return cut_of(rank_sum_distribution(distinct_doubled_ranks(a + b), taken), taken * (taken + 1));
  }
  const double m = double(a), n = double(b);
  return normal_cut(m * n / 2, m * n * (m + n + 1) / 12);
}

double middle_of(const Combinations& combinations) {
  const uint64_t size = combinations.size();
  return (combinations.smallest((size + 1) / 2) + combinations.smallest(size / 2 + 1)) / 2;
}

RatioEstimate estimate(const Combinations& leaning_low, const Combinations& leaning_high, Cut cut) {
  RatioEstimate result;
  const double low = middle_of(leaning_low), high = middle_of(leaning_high);
  const bool open = std::fabs(low) > kOpen || std::fabs(high) > kOpen;
  // What can be anything lies below as often as above.
  if (!open || ratio_of(low) == ratio_of(high)) result.ratio = ratio_of((low + high) / 2);
  if (cut.rank == 0) return result;
  result.confidence = cut.confidence;
  result.interval =
      Interval{ratio_of(leaning_low.smallest(cut.rank)), ratio_of(leaning_high.largest(cut.rank))};
  return result;
}

}  // namespace

RatioEstimate paired_ratio(const std::vector<ValuePair>& pairs) {
  const auto averages = [&](Lean lean) {
    std::vector<double> differences;
    for (const ValuePair& pair : pairs) {
      if (pair.a == 0 && pair.b == 0) continue;
      differences.push_back(log_of(pair.b, true, lean) - log_of(pair.a, false, lean));
    }
    return Averages(std::move(differences));
  };
  const Averages low = averages(Lean::low), high = averages(Lean::high);
  if (low.size() == 0) return {};
  const auto used = std::count_if(pairs.begin(), pairs.end(),
                                  [](const ValuePair& pair) { return pair.a > 0 || pair.b > 0; });
  return estimate(low, high, paired_cut(size_t(used)));
}

RatioEstimate unpaired_ratio(const std::vector<double>& a, const std::vector<double>& b) {
  if (a.empty() || b.empty()) return {};
  const auto differences = [&](Lean lean) {
    std::vector<double> log_a, log_b;
    for (const double value : a) log_a.push_back(log_of(value, false, lean));
    for (const double value : b) log_b.push_back(log_of(value, true, lean));
    return Differences(std::move(log_a), std::move(log_b));
  };
  return estimate(differences(Lean::low), differences(Lean::high),
                  unpaired_cut(a.size(), b.size()));
}

}  // namespace gilscope
