// Whether compare's statistics hold their promises, on synthetic blocks with fixed seeds. Prints a
// table; each line is judged within its own error. `make calibration` runs twenty times as many
// rounds.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "tests/unit/compare_samples.h"
#include "tools/analysis/estimate.h"
#include "tools/analysis/joint_test.h"

namespace gilscope {
namespace {

enum class Shape { normal, log_normal, heavy };

const char* text(Design design) {
  return design == Design::paired ? "paired" : "unpaired";
}

const char* text(Shape shape) {
  return shape == Shape::normal ? "normal" : shape == Shape::log_normal ? "log-normal" : "t(3)";
}

size_t rounds(size_t count) {
  return sample::rounds(std::getenv("GILSCOPE_CALIBRATION") ? 20 * count : count);
}

// Mean 0 and variance 1, on the scale on which differences are taken.
double draw(sample::Noise& noise, Shape shape) {
  const double z = noise.normal();
  if (shape == Shape::normal) return z;
  if (shape == Shape::log_normal) {
    constexpr double kSigma = 0.5;
    const double mean = std::exp(kSigma * kSigma / 2);
    const double deviation = mean * std::sqrt(std::expm1(kSigma * kSigma));
    return (std::exp(kSigma * z) - mean) / deviation;
  }
  double squares = 0;
  for (int i = 0; i < 3; ++i) squares += std::pow(noise.normal(), 2);
  return z / std::sqrt(squares);  // t(3) divided by its standard deviation, sqrt(3)
}

struct Setting {
  Design design;
  size_t blocks, tests;
  Shape shape;
  double spread = 1;    // side B's over side A's
  bool shared = false;  // paired: each block also affects the differences of all tests
};

// Each setting has its own seed.
uint64_t seed_of(const Setting& setting) {
  return setting.blocks + 100 * setting.tests + 100'000 * uint64_t(setting.shape) +
         (setting.design == Design::paired ? 0 : 1'000'000) + uint64_t(10'000'000 * setting.spread);
}

// Tests without a difference: each block affects all of them, some more than others, and each test
// has noise of its own, of 1 to 30 %.
std::vector<JointSample> without_difference(sample::Noise& noise, const Setting& setting) {
  const auto [design, blocks, tests, shape, spread, shared] = setting;
  const auto of_a = noise.normals(blocks, 0.05);
  const auto of_b = design == Design::paired && !shared ? of_a : noise.normals(blocks, 0.05);
  std::vector<JointSample> samples(tests);
  for (JointSample& sample : samples) {
    sample.design = design;
    const double deviation = 0.01 + 0.29 * noise.uniform(), load = 1 + 0.3 * noise.normal();
    for (size_t block = 0; block < blocks; ++block) {
      const double a = load * of_a[block] + deviation * draw(noise, shape);
      const double b = load * of_b[block] + spread * deviation * draw(noise, shape);
      const int unit = int(block);
      if (design == Design::paired) {
        sample.differences.push_back({unit, b - a});
      } else {
        sample.a.push_back({unit, a});
        sample.b.push_back({unit + int(blocks), b});
      }
    }
  }
  return samples;
}

void shift(JointSample& sample, sample::Noise& noise, double ratio, double deviation) {
  for (UnitValue& value : sample.differences)
    value.value = std::log(ratio) + deviation * noise.normal();
  // Unpaired, the noise is split between the sides.
  for (UnitValue& value : sample.a) value.value = deviation * noise.normal() / std::sqrt(2);
  for (UnitValue& value : sample.b)
    value.value = std::log(ratio) + deviation * noise.normal() / std::sqrt(2);
}

constexpr JointLimits kLimits{.most = 512, .fewest = 512};

// The share of comparisons that show any difference, and three standard errors of it.
struct False {
  double share, error;
};

False any_false(const Setting& setting, size_t count) {
  sample::Noise noise(seed_of(setting));
  size_t any = 0;
  for (size_t i = 0; i < count; ++i) {
    const auto outcome = joint_test(without_difference(noise, setting), kLimits);
    any += std::ranges::any_of(outcome.tests, [](const JointP& p) { return p.adjusted <= 0.05; });
  }
  const double share = double(any) / double(count);
  fmt::print("{:8}  {:2} blocks  {:3} tests  {:10}  spread 1:{:g}  any false {:.1f} %\n",
             text(setting.design), setting.blocks, setting.tests, text(setting.shape),
             setting.spread, 100 * share);
  return {share, 3 * std::sqrt(0.05 * 0.95 / double(count))};
}

void expect_at_most_five_percent(const Setting& setting, size_t count) {
  const False found = any_false(setting, rounds(count));
  if (sample::kFewRounds) return;
  EXPECT_LE(found.share, 0.05 + found.error);
}

class Calibration : public testing::TestWithParam<Design> {};

TEST_P(Calibration, NoDifferenceIsFoundWhereThereIsNone) {
  for (const size_t blocks : {6, 8, 10, 20, 50}) {
    for (const Shape shape : {Shape::normal, Shape::log_normal, Shape::heavy}) {
      expect_at_most_five_percent({GetParam(), blocks, 12, shape}, 150);
      expect_at_most_five_percent({GetParam(), blocks, 72, shape}, 40);
    }
  }
  expect_at_most_five_percent({GetParam(), 10, 300, Shape::heavy}, 30);
}

// Each side has another spread. Paired, that does no harm. Unpaired, there are too many false
// differences with few blocks, and fewer with more; with skewed noise as well, the promise does not
// hold at all. The table shows how many there are; only what is promised is judged.
TEST_P(Calibration, NoDifferenceIsFoundWithUnequalSpreads) {
  for (const size_t blocks : {8, 12, 20}) {
    for (const Shape shape : {Shape::normal, Shape::heavy}) {
      if (GetParam() == Design::paired) {
        expect_at_most_five_percent({GetParam(), blocks, 12, shape, 2}, 150);
      }
    }
    for (const double spread : {2.0, 3.0}) {
      any_false({GetParam(), blocks, 72, Shape::normal, spread}, rounds(20));
    }
    any_false({GetParam(), blocks, 72, Shape::log_normal, 3}, rounds(20));
  }
}

// How often a true 1.3 at 8 % noise and a true 1.1 at 3 % are found among 72 tests.
struct Power {
  double large, small;
};

Power power(const Setting& setting, size_t count) {
  sample::Noise noise(3);
  size_t found_large = 0, found_small = 0;
  for (size_t i = 0; i < count; ++i) {
    auto samples = without_difference(noise, setting);
    shift(samples[0], noise, 1.3, 0.08);
    shift(samples[1], noise, 1.1, 0.03);
    const auto outcome = joint_test(samples, kLimits);
    found_large += outcome.tests[0].adjusted <= 0.05;
    found_small += outcome.tests[1].adjusted <= 0.05;
  }
  const Power found{double(found_large) / double(count), double(found_small) / double(count)};
  fmt::print("{:8}  {:2} blocks{}: 1.3 at 8 % noise found in {:.1f} %, 1.1 at 3 % in {:.1f} %\n",
             text(setting.design), setting.blocks, setting.shared ? ", shared" : "",
             100 * found.large, 100 * found.small);
  return found;
}

void expect_power(const Setting& setting, const Power& least, size_t count) {
  const Power found = power(setting, rounds(count));
  if (sample::kFewRounds) return;
  const auto error = [&](double share) {
    return 3 * std::sqrt(share * (1 - share) / double(rounds(count)));
  };
  EXPECT_GE(found.large, least.large - error(least.large));
  EXPECT_GE(found.small, least.small - error(least.small));
}

// Beside 70 tests without a difference that have nothing in common, which is the hardest case: the
// largest of as many independent statistics is larger than that of statistics that move together.
TEST_P(Calibration, RealDifferencesAreFound) {
  for (const auto& [blocks, least] :
       {std::pair<size_t, Power>{6, {0.55, 0.52}}, {8, {0.99, 0.98}}, {10, {0.99, 0.99}}}) {
    expect_power({GetParam(), blocks, 72, Shape::heavy}, least, 60);
  }
}

// The same where a block does something to the differences of all tests, as blocks of a real
// machine do.
TEST(PairedCalibration, RealDifferencesAreFoundWhereBlocksHaveSomethingInCommon) {
  for (const auto& [blocks, least] :
       {std::pair<size_t, Power>{6, {0.55, 0.52}}, {8, {0.99, 0.98}}, {10, {0.99, 0.99}}}) {
    expect_power({Design::paired, blocks, 72, Shape::heavy, 1, true}, least, 60);
  }
}

TEST_P(Calibration, IntervalsCoverTheTruth) {
  for (const size_t blocks : {6, 8, 10, 20, 50}) {
    for (const Shape shape : {Shape::normal, Shape::log_normal, Shape::heavy}) {
      for (const double spread : {1.0, 3.0}) {
        sample::Noise noise(seed_of({GetParam(), blocks, 1, shape, spread}));
        const size_t count = rounds(blocks < 20 ? 120 : 50);
        size_t covered = 0;
        for (size_t i = 0; i < count; ++i) {
          std::vector<double> a, b;
          for (size_t block = 0; block < blocks; ++block) {
            a.push_back(0.03 * draw(noise, shape));
            b.push_back(0.07 + spread * 0.03 * draw(noise, shape));
            if (GetParam() == Design::paired) b.back() -= a.back();
          }
          const Estimate estimate =
              GetParam() == Design::paired ? paired_estimate(b) : unpaired_estimate(a, b);
          covered += estimate.interval->includes(0.07);
        }
        const double share = double(covered) / double(count);
        fmt::print("{:8}  {:2} blocks  {:10}  spread 1:{:g}  {:.1f} % of the intervals cover\n",
                   text(GetParam()), blocks, text(shape), spread, 100 * share);
        if (sample::kFewRounds || (shape == Shape::log_normal && spread > 1)) continue;
        const double error = 3 * std::sqrt(0.05 * 0.95 / double(count));
        EXPECT_GE(share, 0.93 - error);
        EXPECT_LE(share, 0.97 + error);
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Designs, Calibration, testing::Values(Design::paired, Design::unpaired),
                         [](const auto& info) { return std::string(text(info.param)); });

}  // namespace
}  // namespace gilscope
