#include "tools/analysis/choices.h"

#include <algorithm>
#include <bit>

namespace gilscope {
namespace {

// The columns that are summed together: a group's 256 sums must stay in the cache.
constexpr size_t kTile = 32;

}  // namespace

std::vector<double> chosen_sums(const std::vector<double>& table, size_t columns,
                                const Choices& choices) {
  std::vector<double> sums(choices.count() * columns, 0);
  std::vector<double> of_group(256 * kTile);
  for (size_t first = 0; first < columns; first += kTile) {
    const size_t width = std::min(kTile, columns - first);
    for (size_t group = 0; 8 * group < choices.rows(); ++group) {
      const size_t rows = std::min<size_t>(8, choices.rows() - 8 * group);
      std::fill_n(of_group.begin(), width, 0.0);
      for (size_t bits = 1; bits < size_t(1) << rows; ++bits) {
        // The sum without the highest row, plus that row.
        const size_t row = size_t(std::bit_width(bits)) - 1;
        const double* without = &of_group[(bits ^ size_t(1) << row) * kTile];
        const double* added = &table[(8 * group + row) * columns + first];
        double* sum = &of_group[bits * kTile];
        for (size_t i = 0; i < width; ++i) sum[i] = without[i] + added[i];
      }
      for (size_t choice = 0; choice < choices.count(); ++choice) {
        const double* added = &of_group[choices.group(choice, group) * kTile];
        double* sum = &sums[choice * columns + first];
        for (size_t i = 0; i < width; ++i) sum[i] += added[i];
      }
    }
  }
  return sums;
}

uint64_t combinations(size_t n, size_t k, uint64_t most) {
  k = std::min(k, n - k);
  uint64_t count = 1;
  for (size_t i = 1; i <= k; ++i) {
    count = count * (n - k + i) / i;
    if (count > most) return SIZE_MAX;
  }
  return count;
}

uint64_t next_combination(uint64_t bits) {
  const uint64_t lowest = bits & (~bits + 1), carried = bits + lowest;
  return carried | ((bits ^ carried) >> 2) / lowest;
}

}  // namespace gilscope
