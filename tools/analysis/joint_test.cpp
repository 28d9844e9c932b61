#include "tools/analysis/joint_test.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <set>

#include "tools/analysis/deal.h"
#include "tools/analysis/quantiles.h"
#include "tools/analysis/signs.h"

namespace gilscope {
namespace {

constexpr double kSignificance = 0.05;
constexpr size_t kBatch = 2'048;
// The same numbers summed in another order differ by less than this.
constexpr double kAsLarge = 1 - 1e-9;

class Joint {
 public:
  Joint(const std::vector<JointSample>& samples, const JointLimits& limits)
      : samples_(samples), limits_(limits), random_(limits.seed) {
    for (size_t test = 0; test < samples.size(); ++test) {
      if (samples[test].design == Design::paired) signs_.add(test, samples[test]);
    }
    signs_.finish();
    deals_ = deals_of(samples);
    UnitRows places;  // each unit's place among the keys
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
  // A batch of arrangements.
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
      // Every unit draws a key, and the smallest keys are chosen: units that two contrasts share,
      // such as their baseline, are dealt out alike in both.
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

    // One row an arrangement, one column a test.
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
    std::vector<uint64_t> order_;  // keys, each with its row in the lower half
  };

  struct Family {
    std::vector<size_t> order;       // of the tests: the largest statistic last
    std::vector<double> seen;        // in this order
    std::vector<uint64_t> as_large;  // arrangements as large in this test or one before it
    std::vector<uint64_t> alone;     // arrangements as large in this test
    std::vector<double> largest;     // the largest statistic of every arrangement
  };

  // Decides how many arrangements there are, and whether all are used. Flipping every sign changes
  // no statistic's size, so half of the sign patterns are enough.
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
    // A t of few blocks is large more often than one of many; normal deviates are comparable.
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
      double least = 0;  // an adjusted p is never below that of a larger statistic
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
  std::vector<uint64_t> keys_;                   // one for each unit, drawn for each arrangement
  std::vector<std::vector<size_t>> key_places_;  // by deal and row
  uint64_t count_ = 0, enumerated_ = 0;
  bool exact_ = true;
  std::vector<Family> families_;
  std::vector<size_t> deviates_;  // tests whose t is turned into a normal deviate
};

}  // namespace

JointOutcome joint_test(const std::vector<JointSample>& samples, const JointLimits& limits) {
  return Joint(samples, limits).outcome();
}

}  // namespace gilscope
