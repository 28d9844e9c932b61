#include "tools/analysis/deal.h"

#include <algorithm>
#include <cmath>

namespace gilscope {
namespace {

// A unit of a side. A report that stands on both sides is a unit of each.
int node_of(int unit, bool of_b) {
  return 2 * unit + (of_b ? 1 : 0);
}

}  // namespace

void Deal::add(size_t test, const JointSample& sample) {
  tests_.push_back({test, &sample, 0, 0, 0, 0, false});
  for (const UnitValue& value : sample.a) rows_[node_of(value.unit, false)] = 0;
  for (const UnitValue& value : sample.b) rows_[node_of(value.unit, true)] = 0;
}

bool Deal::shares_a_unit(const JointSample& sample) const {
  const auto has = [&](const std::vector<UnitValue>& values, bool of_b) {
    return std::ranges::any_of(
        values, [&](const UnitValue& value) { return rows_.contains(node_of(value.unit, of_b)); });
  };
  return has(sample.a, false) || has(sample.b, true);
}

void Deal::take_over(const Deal& other) {
  for (const Test& test : other.tests_) add(test.test, *test.sample);
}

void Deal::finish() {
  number_in_order(rows_);
  // The smaller side is chosen; of two alike the one of the first unit, whatever it is called.
  const size_t b = size_t(std::ranges::count_if(rows_, [](const auto& r) { return r.first % 2; }));
  const size_t a = rows_.size() - b;
  chosen_is_b_ = b != a ? b < a : rows_.begin()->first % 2 == 1;
  chosen_ = std::min(a, b);
  for (Test& test : tests_) {
    test.missing = test.sample->a.size() + test.sample->b.size() < rows_.size();
    test.column = columns_;
    columns_ += test.missing ? 3 : 2;
  }
  table_.resize(rows_.size() * columns_);
  for (Test& test : tests_) fill(test);
}

void Deal::choose_as_seen(Choices& choices, size_t choice) const {
  for (const auto& [node, row] : rows_) {
    if ((node % 2 == 1) == chosen_is_b_) choices.take(choice, row);
  }
}

void Deal::statistics(const Choices& choices, size_t tests, std::vector<double>& out) const {
  const auto sums = chosen_sums(table_, columns_, choices);
  for (size_t choice = 0; choice < choices.count(); ++choice) {
    const double* of_choice = &sums[choice * columns_];
    for (const Test& test : tests_) {
      out[choice * tests + test.test] = squared_welch(test, of_choice + test.column);
    }
  }
}

void Deal::fill(Test& test) {
  double mean = 0;
  std::map<size_t, double> by_row;
  for (const UnitValue& value : test.sample->a) {
    by_row[rows_.at(node_of(value.unit, false))] = value.value;
  }
  for (const UnitValue& value : test.sample->b) {
    by_row[rows_.at(node_of(value.unit, true))] = value.value;
  }
  for (const auto& [row, value] : by_row) mean += value / double(by_row.size());
  for (const auto& [row, value] : by_row) {
    double* place = &table_[row * columns_ + test.column];
    const double centred = value - mean;  // large numbers have no digits left for their squares
    place[0] = centred;
    place[1] = centred * centred;
    if (test.missing) place[2] = 1;
    test.sum += centred;
    test.squares += centred * centred;
  }
  test.count = double(by_row.size());
}

double Deal::squared_welch(const Test& test, const double* chosen) const {
  const double n = test.missing ? chosen[2] : double(chosen_), m = test.count - n;
  if (n < 2 || m < 2) return 0;  // no spread to measure it by
  const double mean = chosen[0] / n, other = (test.sum - chosen[0]) / m;
  const double squares = std::max(0.0, chosen[1] - n * mean * mean);
  const double of_others = std::max(0.0, test.squares - chosen[1] - m * other * other);
  const double difference = (mean - other) * (mean - other);
  const double variance = squares / (n * (n - 1)) + of_others / (m * (m - 1));
  if (difference <= kNoSpread * test.squares) return 0;
  return difference / std::max(variance, kNoSpread * difference);
}

std::vector<Deal> deals_of(const std::vector<JointSample>& samples) {
  std::map<size_t, std::vector<Deal>> by_contrast;
  for (size_t test = 0; test < samples.size(); ++test) {
    if (samples[test].design == Design::paired) continue;
    std::vector<Deal>& deals = by_contrast[samples[test].contrast];
    Deal joined;
    std::erase_if(deals, [&](const Deal& deal) {
      if (!deal.shares_a_unit(samples[test])) return false;
      joined.take_over(deal);
      return true;
    });
    joined.add(test, samples[test]);
    deals.push_back(std::move(joined));
  }
  std::vector<Deal> all;
  for (auto& [contrast, deals] : by_contrast) {
    for (Deal& deal : deals) {
      deal.finish();
      all.push_back(std::move(deal));
    }
  }
  return all;
}

}  // namespace gilscope
