// Whether compare's statistics keep what they promise, on blocks made up with fixed seeds.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/unit/compare_samples.h"
#include "tools/compare/holm.h"
#include "tools/compare/verdict.h"

namespace gilscope {
namespace {

constexpr size_t kMetrics = 12;
constexpr double kNoise = 0.03;

const char* text(Design design) {
  return design == Design::paired ? "paired" : "unpaired";
}

// One comparison: twelve primary metrics, of which the first is `ratio` times as much on side B.
std::vector<Verdict> comparison(sample::Noise& noise, Design design, size_t blocks, double ratio) {
  const auto of_a = noise.normals(blocks, kNoise);
  const auto of_b = design == Design::paired ? of_a : noise.normals(blocks, kNoise);
  std::vector<Effect> effects;
  std::vector<double> p;
  for (size_t metric = 0; metric < kMetrics; ++metric) {
    const auto a = sample::values(noise, 100, of_a, kNoise);
    const auto b = sample::values(noise, metric == 0 ? 100 * ratio : 100, of_b, kNoise);
    effects.push_back(sample::effect(design, a, b));
    p.push_back(effects.back().p());
  }
  const auto adjusted = holm(p).value();
  std::vector<Verdict> verdicts;
  for (size_t metric = 0; metric < kMetrics; ++metric) {
    verdicts.push_back(judge(effects[metric], adjusted[metric], Better::lower));
  }
  return verdicts;
}

bool decided(Verdict verdict) {
  return verdict != Verdict::same && verdict != Verdict::undecided;
}

class Calibration : public testing::TestWithParam<std::tuple<Design, size_t>> {
 protected:
  Design design() const { return std::get<0>(GetParam()); }
  size_t blocks() const { return std::get<1>(GetParam()); }
};

TEST_P(Calibration, AAgainstAShowsNoDifference) {
  sample::Noise noise(1);
  const size_t comparisons = sample::rounds(blocks() == 20 ? 1000 : 2000);
  size_t false_alarms = 0;
  for (size_t i = 0; i < comparisons; ++i) {
    bool any = false;
    for (const Verdict verdict : comparison(noise, design(), blocks(), 1)) {
      any = any || decided(verdict);
    }
    if (any) ++false_alarms;
  }
  const double share = double(false_alarms) / double(comparisons);
  fmt::print("{}, {} blocks: {:.2f} % with a false difference\n", text(design()), blocks(),
             100 * share);
  if (sample::kFewRounds) return;
  EXPECT_LE(share, 0.05);
}

TEST_P(Calibration, IntervalsCoverTheTruth) {
  sample::Noise noise(2);
  // 6 pairs cover 31 cases of 32 exactly, and it takes many rounds to tell that from 97 %.
  const bool close = design() == Design::paired && blocks() == 6;
  const size_t all = sample::rounds(close ? 50'000 : blocks() == 20 ? 8'000 : 16'000);
  size_t covered = 0;
  for (size_t i = 0; i < all; ++i) {
    const auto of_a = noise.normals(blocks(), kNoise);
    const auto of_b = design() == Design::paired ? of_a : noise.normals(blocks(), kNoise);
    const auto a = sample::values(noise, 100, of_a, kNoise);
    const auto b = sample::values(noise, 107, of_b, kNoise);
    const RatioEstimate estimate = [&] {
      if (design() == Design::unpaired) return unpaired_ratio(a, b);
      std::vector<ValuePair> pairs;
      for (size_t block = 0; block < a.size(); ++block) pairs.push_back({a[block], b[block]});
      return paired_ratio(pairs);
    }();
    if (estimate.interval->includes(1.07)) ++covered;
  }
  const double share = double(covered) / double(all);
  fmt::print("{}, {} blocks: {:.2f} % of the intervals cover the truth\n", text(design()), blocks(),
             100 * share);
  if (sample::kFewRounds) return;
  EXPECT_GE(share, 0.93);
  EXPECT_LE(share, 0.97);
}

INSTANTIATE_TEST_SUITE_P(Blocks, Calibration,
                         testing::Combine(testing::Values(Design::paired, Design::unpaired),
                                          testing::Values(6, 10, 20)),
                         [](const auto& info) {
                           return fmt::format("{}_{}", text(std::get<0>(info.param)),
                                              std::get<1>(info.param));
                         });

// Where the other eleven metrics are alike, so that Holm helps least.
TEST(CalibrationOfEffects, TenPercentAreFound) {
  for (const Design design : {Design::paired, Design::unpaired}) {
    sample::Noise noise(3);
    const size_t comparisons = sample::rounds(1000);
    size_t found = 0;
    for (size_t i = 0; i < comparisons; ++i) {
      if (comparison(noise, design, 10, 1.10)[0] == Verdict::slower) ++found;
    }
    const double share = double(found) / double(comparisons);
    fmt::print("{}: {:.1f} % of the effects of 10 % found\n", text(design), 100 * share);
    if (sample::kFewRounds) continue;
    EXPECT_GE(share, 0.90);
  }
}

}  // namespace
}  // namespace gilscope
