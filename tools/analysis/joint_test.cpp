#include "tools/analysis/joint_test.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <random>
#include <set>

#include "tools/analysis/choices.h"
#include "tools/analysis/quantiles.h"

namespace gilscope {
namespace {

constexpr double kSignificance = 0.05;
constexpr size_t kBatch = 2'048;
// A spread of less than this share of the difference is none: rounding has as much.
constexpr double kNoSpread = 1e-12;
// Sums of the same numbers in another order are the same.
constexpr double kAsLarge = 1 - 1e-9;

using Rows = std::map<int, size_t>;  // where each unit stands

void number_in_order(Rows& rows) {
  size_t row = 0;
  for (auto& [unit, place] : rows) place = row++;
}

// A statistic's square, of a difference whose square is `share` of the largest it could be.
double squared_t(double share, double degrees) {
  share = std::min(share, 1 - kNoSpread);
  return degrees * share / (1 - share);
}

// ---- paired: signs ----

class Signs {
 public:
  void add(size_t test, const JointSample& sample) {
    tests_.push_back({test, &sample, 0, 0});
    for (const UnitValue& value : sample.differences) rows_[value.unit] = 0;
  }

  void finish() {
    number_in_order(rows_);
    table_.resize(rows_.size() * tests_.size());
    for (size_t column = 0; column < tests_.size(); ++column) {
      Test& test = tests_[column];
      // In the units' order, so that the samples' order does not show in the last digit.
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

  size_t units() const { return rows_.size(); }
  bool empty() const { return tests_.empty(); }
  double additions() const { return double((rows_.size() + 7) / 8) * double(tests_.size()); }

  // The squared t of each test for each choice of the units that are flipped.
  void statistics(const Choices& flipped, size_t tests, std::vector<double>& out) const {
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

 private:
  struct Test {
    size_t test;
    const JointSample* sample;
    double sum, squares;
  };
  Rows rows_;
  std::vector<Test> tests_;
  std::vector<double> table_;
};

// ---- unpaired: units dealt out ----

// A unit of a side: the same report may stand on both, and is then two.
int node_of(int unit, bool of_b) {
  return 2 * unit + (of_b ? 1 : 0);
}

class Deal {
 public:
  void add(size_t test, const JointSample& sample) {
    tests_.push_back({test, &sample, 0, 0, 0, 0, false});
    for (const UnitValue& value : sample.a) rows_[node_of(value.unit, false)] = 0;
    for (const UnitValue& value : sample.b) rows_[node_of(value.unit, true)] = 0;
  }

  bool shares_a_unit(const JointSample& sample) const {
    const auto has = [&](const std::vector<UnitValue>& values, bool of_b) {
      return std::ranges::any_of(values, [&](const UnitValue& value) {
        return rows_.contains(node_of(value.unit, of_b));
      });
    };
    return has(sample.a, false) || has(sample.b, true);
  }

  void take_over(const Deal& other) {
    for (const Test& test : other.tests_) add(test.test, *test.sample);
  }

  void finish() {
    number_in_order(rows_);
    // The smaller side is chosen; of two alike the one of the first unit, whatever it is called.
    const size_t b =
        size_t(std::ranges::count_if(rows_, [](const auto& r) { return r.first % 2; }));
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

  size_t units() const { return rows_.size(); }
  size_t chosen() const { return chosen_; }
  double additions() const { return double((rows_.size() + 7) / 8) * double(columns_); }
  const Rows& rows() const { return rows_; }

  void choose_as_seen(Choices& choices, size_t choice) const {
    for (const auto& [node, row] : rows_) {
      if ((node % 2 == 1) == chosen_is_b_) choices.take(choice, row);
    }
  }

  // Welch's t, squared, of each test for each choice.
  void statistics(const Choices& choices, size_t tests, std::vector<double>& out) const {
    const auto sums = chosen_sums(table_, columns_, choices);
    for (size_t choice = 0; choice < choices.count(); ++choice) {
      const double* of_choice = &sums[choice * columns_];
      for (const Test& test : tests_) {
        out[choice * tests + test.test] = squared_welch(test, of_choice + test.column);
      }
    }
  }

 private:
  struct Test {
    size_t test;
    const JointSample* sample;
    size_t column;
    double count, sum, squares;  // of all units
    bool missing;                // some units did not measure it
  };

  void fill(Test& test) {
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

  double squared_welch(const Test& test, const double* chosen) const {
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

  Rows rows_;
  std::vector<Test> tests_;
  size_t columns_ = 0, chosen_ = 0;
  bool chosen_is_b_ = false;
  std::vector<double> table_;
};

// Tests of one contrast that share a unit are dealt out together; those of other boxes, or of what
// else was held fixed, by themselves.
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

// ---- all of it ----

class Joint {
 public:
  Joint(const std::vector<JointSample>& samples, const JointLimits& limits)
      : samples_(samples), limits_(limits), random_(limits.seed) {
    for (size_t test = 0; test < samples.size(); ++test) {
      if (samples[test].design == Design::paired) signs_.add(test, samples[test]);
    }
    signs_.finish();
    deals_ = deals_of(samples);
    std::map<int, size_t> places;  // of the units' keys
    for (const Deal& deal : deals_) {
      for (const auto& [node, row] : deal.rows()) places[node] = 0;
    }
    number_in_order(places);
    keys_.resize(places.size());
    for (const Deal& deal : deals_) {
      std::vector<size_t>& of_rows = key_places_.emplace_back();
      for (const auto& [node, row] : deal.rows()) of_rows.push_back(places.at(node));
    }
    plan();
  }

  JointOutcome outcome() {
    JointOutcome result;
    result.tests.resize(samples_.size());
    result.arrangements = {count_, exact_, exact_ ? 0 : limits_.seed};
    if (samples_.empty()) return result;
    Arranged seen(*this, 1);
    seen.as_seen(0);
    families(seen.statistics());
    uint64_t combination =
        deals_.empty() ? 0 : (uint64_t(1) << std::min<size_t>(deals_.front().chosen(), 63)) - 1;
    for (uint64_t first = 0; first < enumerated_; first += kBatch) {
      Arranged batch(*this, size_t(std::min<uint64_t>(kBatch, enumerated_ - first)));
      for (size_t i = 0; i < batch.count(); ++i) {
        if (!exact_) {
          first + i == 0 ? batch.as_seen(i) : batch.draw(i);
        } else if (deals_.empty()) {
          batch.signs(i, first + i);
        } else {
          batch.deal(i, combination);
          combination = next_combination(combination);
        }
      }
      count_as_large(batch.statistics());
    }
    conclude(result);
    return result;
  }

 private:
  // A number of arrangements.
  class Arranged {
   public:
    Arranged(Joint& joint, size_t count) : joint_(joint), flipped_(joint.signs_.units(), count) {
      for (const Deal& deal : joint.deals_) dealt_.emplace_back(deal.units(), count);
    }

    size_t count() const { return flipped_.count(); }

    void as_seen(size_t i) {
      for (size_t deal = 0; deal < dealt_.size(); ++deal) {
        joint_.deals_[deal].choose_as_seen(dealt_[deal], i);
      }
    }

    void signs(size_t i, uint64_t flipped) {
      for (size_t group = 0; 8 * group < flipped_.rows(); ++group) {
        flipped_.set_group(i, group, flipped >> 8 * group);
      }
    }

    void deal(size_t i, uint64_t chosen) {
      for (size_t group = 0; 8 * group < dealt_.front().rows(); ++group) {
        dealt_.front().set_group(i, group, chosen >> 8 * group);
      }
    }

    void draw(size_t i) {
      uint64_t bits = 0;
      for (size_t group = 0; 8 * group < flipped_.rows(); ++group) {
        if (group % 8 == 0) bits = joint_.random_();
        flipped_.set_group(i, group, bits >> 8 * (group % 8));
      }
      // A key for each unit, and those with the smallest are chosen: what two contrasts share, such
      // as their baseline, is dealt out alike in both.
      for (size_t key = 0; key < joint_.keys_.size(); ++key) {
        if (key % 2 == 0) bits = joint_.random_();
        joint_.keys_[key] = key % 2 == 0 ? bits >> 32 : bits & 0xffffffff;
      }
      for (size_t deal = 0; deal < dealt_.size(); ++deal) {
        const std::vector<size_t>& places = joint_.key_places_[deal];
        order_.clear();
        for (size_t row = 0; row < places.size(); ++row) {
          order_.push_back(joint_.keys_[places[row]] << 32 | row);
        }
        const auto end = order_.begin() + long(joint_.deals_[deal].chosen());
        std::nth_element(order_.begin(), end, order_.end());
        for (auto chosen = order_.begin(); chosen != end; ++chosen) {
          dealt_[deal].take(i, *chosen & 0xffffffff);
        }
      }
    }

    // Row by row, all tests of an arrangement beside one another.
    std::vector<double> statistics() const {
      const size_t tests = joint_.samples_.size();
      std::vector<double> out(count() * tests);
      joint_.signs_.statistics(flipped_, tests, out);
      for (size_t deal = 0; deal < dealt_.size(); ++deal) {
        joint_.deals_[deal].statistics(dealt_[deal], tests, out);
      }
      return out;
    }

   private:
    Joint& joint_;
    Choices flipped_;
    std::vector<Choices> dealt_;
    std::vector<uint64_t> order_;  // a key, and its row
  };

  struct Family {
    std::vector<size_t> order;       // the largest statistic last
    std::vector<double> seen;        // in this order
    std::vector<uint64_t> as_large;  // arrangements whose largest, of these and those before
    std::vector<uint64_t> alone;     // arrangements, of the test itself
    std::vector<double> largest;     // of every arrangement
  };

  // How many arrangements there are, and whether all of them are gone through. Flipping every sign
  // changes no size, so that half of the signs are enough.
  void plan() {
    exact_ = false;
    if (deals_.empty()) {
      exact_ = signs_.units() < 64 &&
               uint64_t(1) << (std::max<size_t>(signs_.units(), 1) - 1) <= limits_.most;
      if (exact_)
        count_ = uint64_t(1) << signs_.units(), enumerated_ = std::max<uint64_t>(count_ / 2, 1);
    } else if (signs_.empty() && deals_.size() == 1 && deals_.front().units() < 64) {
      count_ = combinations(deals_.front().units(), deals_.front().chosen(), limits_.most);
      exact_ = count_ <= limits_.most;
      if (exact_) enumerated_ = count_;
    }
    if (exact_) return;
    double additions = signs_.additions();
    for (const Deal& deal : deals_) additions += deal.additions();
    count_ = std::clamp(uint64_t(limits_.additions / std::max(additions, 1.0)),
                        std::min(limits_.fewest, limits_.most), limits_.most);
    enumerated_ = count_;
  }

  double degrees(size_t test) const {
    const JointSample& sample = samples_[test];
    return sample.design == Design::paired ? double(sample.differences.size()) - 1
                                           : double(sample.a.size() + sample.b.size()) - 2;
  }

  void families(std::vector<double> seen) {
    size_t count = 0;
    for (const JointSample& sample : samples_) count = std::max(count, sample.family + 1);
    families_.resize(count);
    std::vector<std::set<double>> of_family(count);
    for (size_t test = 0; test < samples_.size(); ++test) {
      of_family[samples_[test].family].insert(degrees(test));
      families_[samples_[test].family].order.push_back(test);
    }
    // A t of few blocks is large more often than one of many: as normal deviates they compare.
    for (size_t test = 0; test < samples_.size(); ++test) {
      if (of_family[samples_[test].family].size() > 1) deviates_.push_back(test);
    }
    as_deviates(seen);
    for (Family& family : families_) {
      std::ranges::stable_sort(family.order, {}, [&](size_t test) { return seen[test]; });
      for (const size_t test : family.order) family.seen.push_back(seen[test] * kAsLarge);
      family.as_large.resize(family.order.size());
      family.alone.resize(family.order.size());
      family.largest.reserve(enumerated_);
    }
  }

  void as_deviates(std::vector<double>& statistics) const {
    const size_t tests = samples_.size();
    for (size_t row = 0; row < statistics.size(); row += tests) {
      for (const size_t test : deviates_) {
        statistics[row + test] = squared_normal_score(statistics[row + test], degrees(test));
      }
    }
  }

  void count_as_large(std::vector<double> statistics) {
    as_deviates(statistics);
    const size_t tests = samples_.size();
    for (size_t row = 0; row < statistics.size(); row += tests) {
      for (Family& family : families_) {
        double largest = 0;
        for (size_t i = 0; i < family.order.size(); ++i) {
          const double value = statistics[row + family.order[i]];
          largest = std::max(largest, value);
          family.as_large[i] += largest >= family.seen[i];
          family.alone[i] += value >= family.seen[i];
        }
        family.largest.push_back(largest);
      }
    }
  }

  void conclude(JointOutcome& result) {
    for (Family& family : families_) {
      double least = 0;  // a test that comes later was not easier to refuse
      for (size_t i = family.order.size(); i-- > 0;) {
        JointP& of_test = result.tests[family.order[i]];
        of_test.p = double(family.alone[i]) / double(enumerated_);
        least = std::max(least, double(family.as_large[i]) / double(enumerated_));
        of_test.adjusted = least;
      }
      result.critical.push_back(critical(family));
    }
  }

  double critical(Family& family) const {
    if (family.order.empty()) return 0;
    const auto place =
        family.largest.end() - 1 - long(kSignificance * double(family.largest.size()));
    std::nth_element(family.largest.begin(), place, family.largest.end());
    const size_t test = family.order.front();
    const bool deviate = std::ranges::binary_search(deviates_, test);
    return std::sqrt(deviate ? *place : squared_normal_score(*place, degrees(test)));
  }

  const std::vector<JointSample>& samples_;
  const JointLimits& limits_;
  std::mt19937_64 random_;
  Signs signs_;
  std::vector<Deal> deals_;
  std::vector<uint64_t> keys_;                   // of this arrangement, one for each unit
  std::vector<std::vector<size_t>> key_places_;  // of each deal's rows
  uint64_t count_ = 0, enumerated_ = 0;
  bool exact_ = true;
  std::vector<Family> families_;
  std::vector<size_t> deviates_;  // tests whose t is compared as a normal deviate
};

}  // namespace

JointOutcome joint_test(const std::vector<JointSample>& samples, const JointLimits& limits) {
  return Joint(samples, limits).outcome();
}

}  // namespace gilscope
