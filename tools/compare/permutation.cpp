#include "tools/compare/permutation.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>

#include "tools/compare/ranks.h"

namespace gilscope {
namespace {

// How far a sum of doubled ranks is from its mean, times what makes that a whole number.
using Distance = uint64_t;

uint64_t sum_of(const std::vector<uint32_t>& ranks) {
  return std::accumulate(ranks.begin(), ranks.end(), uint64_t(0));
}

Distance apart(uint64_t x, uint64_t y) {
  return x > y ? x - y : y - x;
}

template <typename DistanceOf>
double share_as_far(const std::vector<double>& probability, Distance seen, DistanceOf distance_of) {
  double p = 0;
  for (uint64_t sum = 0; sum < probability.size(); ++sum) {
    if (distance_of(sum) >= seen) p += probability[sum];
  }
  return std::min(p, 1.0);
}

// Of a sum whose distance from its mean was seen; sums are `step` apart.
double normal_p(double distance, double step, double variance) {
  const double z = std::max(0.0, distance - step / 2) / std::sqrt(variance);
  return std::clamp(std::erfc(z / std::numbers::sqrt2), std::numeric_limits<double>::min(), 1.0);
}

// Doubled ranks without ties are even.
double step_of(const std::vector<uint32_t>& ranks) {
  return std::all_of(ranks.begin(), ranks.end(), [](uint32_t r) { return r % 2 == 0; }) ? 2 : 1;
}

}  // namespace

Permutation sign_flips(const std::vector<double>& differences, const PermutationLimits& limits) {
  std::vector<double> sizes;
  for (const double difference : differences) sizes.push_back(std::fabs(difference));
  const std::vector<uint32_t> ranks = doubled_ranks(sizes);
  std::vector<uint32_t> flipped;
  uint64_t positive = 0;
  for (size_t i = 0; i < ranks.size(); ++i) {
    if (differences[i] == 0) continue;
    flipped.push_back(ranks[i]);
    if (differences[i] > 0) positive += ranks[i];
  }
  const uint64_t all = sum_of(flipped);
  const auto distance_of = [&](uint64_t sum) { return apart(2 * sum, all); };
  if (signed_rank_steps(differences.size()) <= limits.steps) {
    return {share_as_far(signed_rank_distribution(flipped), distance_of(positive), distance_of)};
  }
  if (flipped.empty()) return {};
  double variance = 0;  // each rank is there or not
  for (const uint32_t rank : flipped) variance += double(rank) * rank / 4;
  return {normal_p(double(distance_of(positive)) / 2, step_of(flipped), variance), false};
}

Permutation relabelling(const std::vector<double>& a, const std::vector<double>& b,
                        const PermutationLimits& limits) {
  // The smaller side's ranks are summed; the other's sum lies as far on the other side.
  const std::vector<double>& fewer = a.size() <= b.size() ? a : b;
  const std::vector<double>& others = a.size() <= b.size() ? b : a;
  std::vector<double> values = fewer;
  values.insert(values.end(), others.begin(), others.end());
  std::vector<uint32_t> ranks = doubled_ranks(values);
  const size_t taken = fewer.size(), count = values.size();
  uint64_t seen = 0;
  for (size_t i = 0; i < taken; ++i) seen += ranks[i];
  const uint64_t all = sum_of(ranks);
  const auto distance_of = [&](uint64_t sum) { return apart(count * sum, taken * all); };
  if (taken == 0) return {};
  if (rank_sum_steps(count, taken) <= limits.steps) {
    return {share_as_far(rank_sum_distribution(ranks, taken), distance_of(seen), distance_of)};
  }
  const double n = double(count), k = double(taken), mean = double(all) / n;
  double spread = 0;
  for (const uint32_t rank : ranks) spread += (rank - mean) * (rank - mean);
  if (spread == 0) return {1, false};
  const double variance = k * (n - k) / (n * (n - 1)) * spread;
  return {normal_p(double(distance_of(seen)) / n, step_of(ranks), variance), false};
}

}  // namespace gilscope
