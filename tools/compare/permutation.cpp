#include "tools/compare/permutation.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

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

template <typename DrawDistance>
Permutation drawn(const PermutationLimits& limits, Distance seen, DrawDistance draw_distance) {
  std::mt19937_64 engine(limits.seed);
  uint64_t as_far = 0;
  for (uint64_t draw = 0; draw < limits.draws; ++draw) {
    if (draw_distance(engine) >= seen) ++as_far;
  }
  return {double(as_far + 1) / double(limits.draws + 1), limits.draws, limits.seed};
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
    return {share_as_far(signed_rank_distribution(flipped), distance_of(positive), distance_of), 0,
            0};
  }
  // The order in which the blocks came decides nothing.
  std::sort(flipped.begin(), flipped.end());
  return drawn(limits, distance_of(positive), [&](std::mt19937_64& engine) {
    uint64_t sum = 0, bits = 0;
    for (size_t i = 0; i < flipped.size(); ++i) {
      if (i % 64 == 0) bits = engine();
      if (bits >> (i % 64) & 1) sum += flipped[i];
    }
    return distance_of(sum);
  });
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
    return {share_as_far(rank_sum_distribution(ranks, taken), distance_of(seen), distance_of), 0,
            0};
  }
  std::sort(ranks.begin(), ranks.end());
  return drawn(limits, distance_of(seen), [&](std::mt19937_64& engine) {
    // The first steps of a shuffle. What 64 bits divided by a few hundred favour is below 1e-16.
    uint64_t sum = 0;
    for (size_t i = 0; i < taken; ++i) {
      std::swap(ranks[i], ranks[i + engine() % (count - i)]);
      sum += ranks[i];
    }
    return distance_of(sum);
  });
}

}  // namespace gilscope
