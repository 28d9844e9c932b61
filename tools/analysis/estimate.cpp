#include "tools/analysis/estimate.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <random>

#include "tools/analysis/choices.h"
#include "tools/analysis/quantiles.h"

namespace gilscope {
namespace {

constexpr double kOutside = 0.05;
constexpr uint64_t kMost = 16'384;  // arrangements, up to which all of them are used
constexpr uint64_t kDrawn = 4'096;  // arrangements, where there are more
constexpr size_t kMostUnits = 100;  // beyond these, Student's interval
constexpr uint64_t kSeed = 1969;
constexpr double kAsLarge = 1 - 1e-9;  // the same numbers summed in another order differ by less

// ---- the estimate ----

// Maps doubles to integers in the same order, so that bisection between two of them terminates.
int64_t place_of(double value) {
  const auto bits = std::bit_cast<int64_t>(value);
  return bits >= 0 ? bits : std::numeric_limits<int64_t>::min() - bits;
}

double value_at(int64_t place) {
  return std::bit_cast<double>(place >= 0 ? place : std::numeric_limits<int64_t>::min() - place);
}

// The median over all pairs of two sorted lists, without a list of the pairs: a thousand units a
// side would make a million. `at_most` counts the pairs up to a value.
template <typename AtMost>
double median_of_pairs(uint64_t size, double least, double most, AtMost at_most) {
  const auto smallest = [&](uint64_t rank) {
    int64_t low = place_of(least), high = place_of(most);
    while (low < high) {
      const int64_t middle = std::midpoint(low, high - 1);
      if (at_most(value_at(middle)) >= rank) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    return value_at(low);
  };
  return (smallest((size + 1) / 2) + smallest(size / 2 + 1)) / 2;
}

// The median of the Walsh averages: the means of every two differences, and each difference itself.
double median_of_averages(const std::vector<double>& sorted) {
  return median_of_pairs(uint64_t(sorted.size()) * (sorted.size() + 1) / 2, sorted.front(),
                         sorted.back(), [&](double value) {
                           uint64_t count = 0;
                           size_t end = sorted.size();
                           for (size_t i = 0; i < end; ++i) {
                             while (end > i && (sorted[i] + sorted[end - 1]) / 2 > value) --end;
                             count += end - i;
                           }
                           return count;
                         });
}

double median_of_differences(const std::vector<double>& a, const std::vector<double>& b) {
  return median_of_pairs(uint64_t(a.size()) * b.size(), b.front() - a.back(), b.back() - a.front(),
                         [&](double value) {
                           uint64_t count = 0;
                           size_t end = 0;
                           for (const double of_a : a) {
                             while (end < b.size() && b[end] - of_a <= value) ++end;
                             count += end;
                           }
                           return count;
                         });
}

// ---- for both intervals ----

struct Moments {
  double mean = 0, variance = 0;  // the variance over n - 1
};

Moments moments_of(const std::vector<double>& values) {
  Moments moments;
  for (const double value : values) moments.mean += value / double(values.size());
  for (const double value : values) {
    moments.variance += (value - moments.mean) * (value - moments.mean);
  }
  if (values.size() > 1) moments.variance /= double(values.size() - 1);
  return moments;
}

Interval around(double middle, double half) {
  return {middle - half, middle + half};
}

// Each row is in a choice with probability 1/2.
Choices drawn_rows(size_t rows, size_t count) {
  std::mt19937_64 random(kSeed);
  Choices choices(rows, count);
  for (size_t choice = 0; choice < count; ++choice) {
    uint64_t bits = 0;
    for (size_t group = 0; 8 * group < rows; ++group) {
      if (group % 8 == 0) bits = random();
      choices.set_group(choice, group, bits >> 8 * (group % 8));
    }
  }
  return choices;
}

// ---- paired ----

Interval students_interval(const std::vector<double>& differences) {
  const auto [mean, variance] = moments_of(differences);
  const double n = double(differences.size());
  return around(mean, student_quantile(1 - kOutside / 2, int(n) - 1) * std::sqrt(variance / n));
}

void add_interval(const std::vector<double>& sorted, Estimate& estimate) {
  const size_t n = sorted.size();
  if (n > kMostUnits) {
    estimate.interval = students_interval(sorted);
    estimate.confidence = 1 - kOutside;
    return;
  }
  const bool all = n < 64 && uint64_t(1) << n <= kMost;
  const uint64_t count = all ? uint64_t(1) << n : kDrawn;
  const auto beyond = static_cast<size_t>(kOutside / 2 * double(count));
  if (beyond == 0) return;
  Choices choices = drawn_rows(n, all ? 1 : count);
  if (all) {
    choices = Choices(n, count);
    for (uint64_t bits = 0; bits < count; ++bits) {
      for (size_t group = 0; 8 * group < n; ++group) {
        choices.set_group(bits, group, bits >> 8 * group);
      }
    }
  }
  std::vector<double> table;
  for (const double difference : sorted) table.insert(table.end(), {difference, 1});
  const auto sums = chosen_sums(table, 2, choices);
  std::vector<double> means;
  for (size_t i = 0; i < sums.size(); i += 2) {
    if (sums[i + 1] > 0) means.push_back(sums[i] / sums[i + 1]);
  }
  const auto low = means.begin() + long(beyond) - 1;
  std::nth_element(means.begin(), low, means.end());
  estimate.interval = Interval{*low, 0};
  const auto high = means.end() - long(beyond);
  std::nth_element(means.begin(), high, means.end());
  estimate.interval->high = *high;
  estimate.confidence = 1 - 2 * double(beyond) / double(count);
}

// ---- unpaired ----

// The sums over a choice of as many units as side B has, and how many of them are B's own: enough
// to compute its statistic for every shift of B.
struct Dealt {
  double sum, squares, of_b, b;
};

class ShiftedTest {
 public:
  ShiftedTest(const std::vector<double>& a, const std::vector<double>& b)
      : n_(b.size()), m_(a.size()) {
    const Moments of_a = moments_of(a), of_b = moments_of(b);
    difference_ = of_b.mean - of_a.mean;
    variance_ = of_a.variance / double(m_) + of_b.variance / double(n_);
    // Each side is centred on its own mean: sums of large numbers would lose their last digits.
    std::vector<double> table;
    const auto add = [&](double value, bool is_b) {
      table.insert(table.end(), {value, value * value, is_b ? value : 0, is_b ? 1.0 : 0.0});
      total_.sum += value;
      total_.squares += value * value;
      if (is_b) total_.of_b += value, ++total_.b;
    };
    for (const double value : a) add(value - of_a.mean, false);
    for (const double value : b) add(value - of_b.mean, true);
    const auto sums = chosen_sums(table, 4, choices());
    for (size_t i = 0; i < sums.size(); i += 4) {
      dealt_.push_back({sums[i], sums[i + 1], sums[i + 2], sums[i + 3]});
    }
  }

  double difference() const { return difference_; }
  double variance() const { return variance_; }
  // Whether any p of this test can reach 5 %.
  bool can_refuse() const { return double(dealt_.size()) * kOutside >= (n_ == m_ ? 2 : 1); }

  // The p of testing B minus `shift` against A.
  double p(double shift) const {
    const double beyond = difference_ - shift;
    const double seen = beyond * beyond / variance_ * kAsLarge;
    // Both sides are centred, so B lies `beyond` above A.
    const double n = double(n_), m = double(m_);
    const double sum = total_.sum + beyond * total_.b;
    const double squares = total_.squares + 2 * beyond * total_.of_b + beyond * beyond * total_.b;
    size_t as_large = 0;
    for (const Dealt& dealt : dealt_) {
      const double chosen = dealt.sum + beyond * dealt.b;
      const double chosen_squares = dealt.squares + beyond * (2 * dealt.of_b + beyond * dealt.b);
      const double mean = chosen / n, other = (sum - chosen) / m;
      const double variance = (chosen_squares - n * mean * mean) / (n * (n - 1)) +
                              (squares - chosen_squares - m * other * other) / (m * (m - 1));
      as_large += (mean - other) * (mean - other) >= seen * variance;
    }
    return double(as_large) / double(dealt_.size());
  }

 private:
  Choices choices() const {
    const size_t units = n_ + m_;
    const uint64_t count = units < 64 ? combinations(units, n_, kMost) : SIZE_MAX;
    if (count <= kMost) {
      Choices all(units, count);
      uint64_t bits = (uint64_t(1) << n_) - 1;
      for (uint64_t choice = 0; choice < count; ++choice, bits = next_combination(bits)) {
        for (size_t group = 0; 8 * group < units; ++group) {
          all.set_group(choice, group, bits >> 8 * group);
        }
      }
      return all;
    }
    Choices drawn(units, kDrawn);
    std::mt19937_64 random(kSeed);
    std::vector<size_t> order(units);
    std::iota(order.begin(), order.end(), size_t(0));
    for (size_t i = 0; i < n_; ++i) drawn.take(0, m_ + i);  // the arrangement that was observed
    for (uint64_t choice = 1; choice < kDrawn; ++choice) {
      for (size_t i = 0; i < n_; ++i) {
        std::swap(order[i], order[i + random() % (units - i)]);
        drawn.take(choice, order[i]);
      }
    }
    return drawn;
  }

  size_t n_, m_;  // the numbers of B's units and of A's
  double difference_ = 0, variance_ = 0;
  Dealt total_{};
  std::vector<Dealt> dealt_;
};

double welch_degrees(const std::vector<double>& a, const std::vector<double>& b) {
  const double of_a = moments_of(a).variance / double(a.size());
  const double of_b = moments_of(b).variance / double(b.size());
  const double sum = of_a + of_b;
  return std::max(
      1.0, sum * sum / (of_a * of_a / double(a.size() - 1) + of_b * of_b / double(b.size() - 1)));
}

// The shift at which p is 5 %. `half` is roughly its distance from the observed difference.
double end_of(const ShiftedTest& test, double half, double side) {
  const auto refused = [&](double factor) {
    return test.p(test.difference() + side * factor * half) <= kOutside;
  };
  double inside = 0.85, outside = 1.2;
  while (inside > 1e-3 && refused(inside)) outside = inside, inside /= 1.5;
  while (outside < 1e3 && !refused(outside)) inside = outside, outside *= 1.5;
  for (int i = 0; i < 8; ++i) {
    const double middle = (inside + outside) / 2;
    (refused(middle) ? outside : inside) = middle;
  }
  return test.difference() + side * half * (inside + outside) / 2;
}

void add_interval(const std::vector<double>& a, const std::vector<double>& b, Estimate& estimate) {
  if (a.size() < 2 || b.size() < 2) return;
  const Moments of_a = moments_of(a), of_b = moments_of(b);
  const double variance = of_a.variance / double(a.size()) + of_b.variance / double(b.size());
  const double difference = of_b.mean - of_a.mean;
  const bool spread = variance > 1e-24 * (difference * difference + of_a.mean * of_a.mean);
  const double half =
      spread ? student_quantile(1 - kOutside / 2, int(welch_degrees(a, b))) * std::sqrt(variance)
             : 0;
  if (a.size() + b.size() > kMostUnits) {
    estimate.interval = around(difference, half);
  } else {
    const ShiftedTest test(a, b);
    if (!test.can_refuse()) return;
    estimate.interval =
        spread ? Interval{end_of(test, half, -1), end_of(test, half, 1)} : around(difference, 0);
  }
  estimate.confidence = 1 - kOutside;
}

}  // namespace

Estimate paired_estimate(std::vector<double> differences) {
  std::ranges::sort(differences);
  Estimate estimate{median_of_averages(differences), {}, 0};
  add_interval(differences, estimate);
  return estimate;
}

Estimate unpaired_estimate(std::vector<double> a, std::vector<double> b) {
  std::ranges::sort(a);
  std::ranges::sort(b);
  Estimate estimate{median_of_differences(a, b), {}, 0};
  add_interval(a, b, estimate);
  return estimate;
}

}  // namespace gilscope
