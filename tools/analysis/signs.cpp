#include "tools/analysis/signs.h"

#include <algorithm>

namespace gilscope {
namespace {

// Squared t of n differences whose squared sum is `share` of the largest it could be, n times the
// sum of their squares.
double squared_t(double share, double degrees) {
  share = std::min(share, 1 - kNoSpread);
  return degrees * share / (1 - share);
}

}  // namespace

void Signs::add(size_t test, const JointSample& sample) {
  tests_.push_back({test, &sample, 0, 0});
  for (const UnitValue& value : sample.differences) rows_[value.unit] = 0;
}

void Signs::finish() {
  number_in_order(rows_);
  table_.resize(rows_.size() * tests_.size());
  for (size_t column = 0; column < tests_.size(); ++column) {
    Test& test = tests_[column];
    // Summed in the units' order, so that the order of the samples does not show in the last digit.
    for (const UnitValue& value : test.sample->differences) {
      table_[rows_.at(value.unit) * tests_.size() + column] = value.value;
    }
    for (size_t row = 0; row < rows_.size(); ++row) {
      const double value = table_[row * tests_.size() + column];
      test.sum += value;
      test.squares += value * value;
    }
  }
}

void Signs::statistics(const Choices& flipped, size_t tests, std::vector<double>& out) const {
  const auto sums = chosen_sums(table_, tests_.size(), flipped);
  for (size_t choice = 0; choice < flipped.count(); ++choice) {
    for (size_t column = 0; column < tests_.size(); ++column) {
      const Test& test = tests_[column];
      const double n = double(test.sample->differences.size());
      const double sum = test.sum - 2 * sums[choice * tests_.size() + column];
      const double share = test.squares > 0 ? sum * sum / (n * test.squares) : 0;
      out[choice * tests + test.test] = squared_t(share, n - 1);
    }
  }
}

}  // namespace gilscope
