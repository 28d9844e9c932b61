#include "tools/compare/ranks.h"

#include <algorithm>
#include <numeric>

namespace gilscope {

std::vector<uint32_t> doubled_ranks(const std::vector<double>& values) {
  std::vector<size_t> order(values.size());
  std::iota(order.begin(), order.end(), size_t(0));
  std::sort(order.begin(), order.end(), [&](size_t i, size_t j) { return values[i] < values[j]; });
  std::vector<uint32_t> ranks(values.size());
  for (size_t first = 0, end = 0; first < order.size(); first = end) {
    while (end < order.size() && values[order[end]] == values[order[first]]) ++end;
    // The ranks first + 1 to end, whose mean is half of this.
    for (size_t i = first; i < end; ++i) ranks[order[i]] = static_cast<uint32_t>(first + 1 + end);
  }
  return ranks;
}

std::vector<uint32_t> distinct_doubled_ranks(size_t count) {
  std::vector<uint32_t> ranks(count);
  for (size_t i = 0; i < count; ++i) ranks[i] = static_cast<uint32_t>(2 * (i + 1));
  return ranks;
}

std::vector<double> signed_rank_distribution(const std::vector<uint32_t>& ranks) {
  std::vector<double> probability{1};
  for (const uint32_t rank : ranks) {
    const size_t before = probability.size();
    probability.resize(before + rank, 0);
    for (size_t sum = probability.size(); sum-- > 0;) {
      const double taken = sum >= rank ? probability[sum - rank] : 0;
      const double left = sum < before ? probability[sum] : 0;
      probability[sum] = (taken + left) / 2;
    }
  }
  return probability;
}

std::vector<double> rank_sum_distribution(std::vector<uint32_t> ranks, size_t taken) {
  std::sort(ranks.begin(), ranks.end());
  // Without ties every doubled rank is even, and every second sum would be empty.
  const bool even = std::all_of(ranks.begin(), ranks.end(), [](uint32_t r) { return r % 2 == 0; });
  const uint32_t unit = even ? 2 : 1;
  std::vector<size_t> smallest{0};  // the sum of the smallest j ranks
  for (const uint32_t rank : ranks) smallest.push_back(smallest.back() + rank / unit);
  const size_t sums = smallest.back() - smallest[ranks.size() - taken] + 1;
  // In how many ways j of the ranks looked at so far have a sum: at j * sums + sum.
  std::vector<double> ways((taken + 1) * sums, 0);
  ways[0] = 1;
  for (size_t looked_at = 0; looked_at < ranks.size(); ++looked_at) {
    const size_t rank = ranks[looked_at] / unit;
    for (size_t j = std::min(looked_at + 1, taken); j > 0; --j) {
      const size_t low = smallest[j - 1];
      const size_t high = smallest[looked_at] - smallest[looked_at - (j - 1)];
      const double* without = &ways[(j - 1) * sums];
      double* with = &ways[j * sums + rank];
      for (size_t sum = low; sum <= high; ++sum) with[sum] += without[sum];
    }
  }
  const double* counts = &ways[taken * sums];
  const double all = std::accumulate(counts, counts + sums, 0.0);
  std::vector<double> probability((sums - 1) * unit + 1, 0);
  for (size_t sum = 0; sum < sums; ++sum) probability[sum * unit] = counts[sum] / all;
  return probability;
}

double signed_rank_steps(size_t ranks) {
  const double n = double(ranks);
  return n * n * (n + 1) / 2;
}

double rank_sum_steps(size_t ranks, size_t taken) {
  const double n = double(ranks), k = double(taken);
  return n * k * k * (n - k);
}

}  // namespace gilscope
