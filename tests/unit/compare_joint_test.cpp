// The joint test against R's multtest, against an explicit enumeration of all arrangements, and
// under changes that must not matter.
#include "tools/analysis/joint_test.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>

#include "tests/unit/compare_samples.h"
#include "tools/analysis/quantiles.h"

namespace gilscope {
namespace {

constexpr JointLimits kDrawn{.most = 8'192, .fewest = 8'192};

std::vector<UnitValue> units(const std::vector<double>& values, int first = 0) {
  std::vector<UnitValue> list;
  for (const double value : values) list.push_back({first++, value});
  return list;
}

JointSample paired(const std::vector<double>& differences, size_t family = 0) {
  JointSample sample;
  sample.family = family;
  sample.differences = units(differences);
  return sample;
}

JointSample unpaired(const std::vector<double>& a, const std::vector<double>& b) {
  JointSample sample;
  sample.design = Design::unpaired;
  sample.a = units(a);
  sample.b = units(b, 100);
  return sample;
}

std::vector<double> adjusted(const std::vector<JointSample>& samples,
                             const JointLimits& limits = {}) {
  std::vector<double> list;
  for (const JointP& p : joint_test(samples, limits).tests) list.push_back(p.adjusted);
  return list;
}

void expect_near(const JointOutcome& outcome, const std::vector<JointP>& expected) {
  ASSERT_EQ(outcome.tests.size(), expected.size());
  for (size_t i = 0; i < expected.size(); ++i) {
    EXPECT_NEAR(outcome.tests[i].p, expected[i].p, 1e-12) << i;
    EXPECT_NEAR(outcome.tests[i].adjusted, expected[i].adjusted, 1e-12) << i;
  }
}

// R 4.2.2, multtest 2.54.0: mt.maxT(X, classlabel, test = "t", side = "abs", B = 0), which uses
// Welch's t over all 6435 ways to split 15 units; rawp and adjp.
TEST(CompareJoint, AgreesWithMulttestUnpaired) {
  const auto outcome = joint_test(
      {unpaired({10.1, 9.7, 11.4, 10.8, 9.9, 10.3, 12.2},
                {11.0, 10.9, 12.6, 11.8, 10.2, 13.1, 11.6, 12.9}),
       unpaired({5.2, 4.8, 5.1, 5.6, 4.9, 5.3, 5.0}, {5.9, 6.3, 5.7, 6.1, 6.6, 5.8, 6.0, 6.2}),
       unpaired({1.2, 1.9, 0.7, 1.4, 1.1, 1.6, 1.3}, {1.3, 1.0, 1.7, 1.5, 0.9, 1.8, 1.2, 1.45}),
       unpaired({30, 31, 29, 33, 30.5, 32, 28}, {31, 35, 33, 36, 34.5, 32.5, 37, 33.5})});
  EXPECT_TRUE(outcome.arrangements.exact);
  EXPECT_EQ(outcome.arrangements.count, 6435u);
  expect_near(outcome, {{0.0442890442890442881, 0.0862470862470862409},
                        {0.0001554001554001554, 0.0001554001554001554},
                        {0.8138306138306138360, 0.8138306138306138360},
                        {0.0031080031080031080, 0.0099456099456099456}});
}

// The same with test = "pairt": all 256 sign flips of eight pairs.
TEST(CompareJoint, AgreesWithMulttestPaired) {
  const auto outcome = joint_test({paired({0.31, 0.42, 0.28, 0.39, 0.35, 0.45, 0.30, 0.33}),
                                   paired({0.02, -0.05, 0.04, 0.01, -0.03, 0.06, -0.01, 0.03}),
                                   paired({0.12, 0.20, -0.04, 0.15, 0.09, 0.22, 0.05, 0.11}),
                                   paired({-0.5, -0.7, -0.4, -0.65, -0.55, -0.8, 0.1, -0.6})});
  EXPECT_TRUE(outcome.arrangements.exact);
  EXPECT_EQ(outcome.arrangements.count, 256u);
  expect_near(outcome, {{0.0078125, 0.0078125},
                        {0.5703125, 0.5703125},
                        {0.0156250, 0.0234375},
                        {0.0156250, 0.0234375}});
}

// A row of values for each unit, with some holes. Enumerates every arrangement of six and seven
// units, taking the largest Welch statistic of the tests not yet decided.
TEST(CompareJoint, HolesMoveWithTheirUnits) {
  sample::Noise noise(51);
  constexpr size_t kA = 6, kB = 7, kTests = 3;
  std::vector<JointSample> samples(kTests);
  double values[kTests][kA + kB];
  bool there[kTests][kA + kB];
  for (size_t test = 0; test < kTests; ++test) {
    samples[test].design = Design::unpaired;
    for (size_t unit = 0; unit < kA + kB; ++unit) {
      values[test][unit] = noise.normal() + (unit >= kA ? 0.8 * double(test) : 0);
      there[test][unit] = test == 0 || (unit * 5 + test) % 6 != 0;
      if (!there[test][unit]) continue;
      (unit < kA ? samples[test].a : samples[test].b).push_back({int(unit), values[test][unit]});
    }
  }
  const auto statistic = [&](size_t test, uint32_t of_a) {
    double count[2] = {}, sum[2] = {}, squares[2] = {};
    for (size_t unit = 0; unit < kA + kB; ++unit) {
      if (!there[test][unit]) continue;
      const size_t side = of_a >> unit & 1;
      ++count[side], sum[side] += values[test][unit];
    }
    if (count[0] < 2 || count[1] < 2) return 0.0;
    for (size_t unit = 0; unit < kA + kB; ++unit) {
      const size_t side = of_a >> unit & 1;
      if (there[test][unit])
        squares[side] += std::pow(values[test][unit] - sum[side] / count[side], 2);
    }
    const double variance =
        squares[0] / count[0] / (count[0] - 1) + squares[1] / count[1] / (count[1] - 1);
    const double t_squared = std::pow(sum[0] / count[0] - sum[1] / count[1], 2) / variance;
    // Holes leave fewer degrees of freedom: t is then compared as a normal score.
    return squared_normal_score(t_squared,
                                double(samples[test].a.size() + samples[test].b.size()) - 2);
  };
  const uint32_t seen = (1u << kA) - 1;
  std::vector<size_t> order{0, 1, 2};
  std::ranges::sort(order,
                    [&](size_t x, size_t y) { return statistic(x, seen) > statistic(y, seen); });
  std::vector<double> expected(kTests);
  double least = 0;
  for (size_t first = 0; first < kTests; ++first) {
    size_t all = 0, as_large = 0;
    for (uint32_t of_a = 0; of_a < 1u << (kA + kB); ++of_a) {
      if (std::popcount(of_a) != int(kA)) continue;
      double largest = 0;
      for (size_t i = first; i < kTests; ++i)
        largest = std::max(largest, statistic(order[i], of_a));
      ++all, as_large += largest >= statistic(order[first], seen) * (1 - 1e-9);
    }
    least = std::max(least, double(as_large) / double(all));
    expected[order[first]] = least;
  }
  const auto found = adjusted(samples);
  for (size_t test = 0; test < kTests; ++test)
    EXPECT_NEAR(found[test], expected[test], 1e-12) << test;
}

// Eight pairs with the same sign are found among two hundred tests; Holm's least p would be 200 * 2
// / 256.
TEST(CompareJoint, WhatIsPlainIsFoundAmongManyTests) {
  sample::Noise noise(52);
  std::vector<JointSample> samples{paired({0.5, 0.52, 0.48, 0.51, 0.49, 0.5, 0.53, 0.47})};
  for (int i = 0; i < 200; ++i) samples.push_back(paired(noise.normals(8, 0.1)));
  const auto found = adjusted(samples);
  EXPECT_NEAR(found[0], 2.0 / 256, 1e-12);
  EXPECT_EQ(std::ranges::count_if(found, [](double p) { return p <= 0.05; }), 1);
}

TEST(CompareJoint, DrawnArrangementsComeNearAllOfThem) {
  sample::Noise noise(53);
  std::vector<JointSample> samples, dealt;
  for (int i = 0; i < 12; ++i) {
    auto differences = noise.normals(12, 1);
    for (double& difference : differences) difference += 0.1 * i;
    samples.push_back(paired(differences));
    auto b = noise.normals(8, 1);
    for (double& value : b) value += 0.15 * i;
    dealt.push_back(unpaired(noise.normals(7, 1), b));
  }
  for (const auto& tests : {samples, dealt}) {
    const auto exact = joint_test(tests);
    const auto drawn = joint_test(tests, {.most = 2'000, .fewest = 2'000});
    EXPECT_TRUE(exact.arrangements.exact);
    EXPECT_FALSE(drawn.arrangements.exact);
    EXPECT_EQ(drawn.arrangements.count, 2'000u);
    EXPECT_NE(drawn.arrangements.seed, 0u);
    for (size_t i = 0; i < tests.size(); ++i) {
      const double p = exact.tests[i].adjusted;
      EXPECT_NEAR(drawn.tests[i].adjusted, p, 5 * std::sqrt(p * (1 - p) / 2'000) + 1e-3) << i;
    }
    EXPECT_NEAR(drawn.critical[0], exact.critical[0], 0.1);
  }
}

TEST(CompareJoint, NeitherOrderNorSideChangesAnything) {
  sample::Noise noise(54);
  std::vector<JointSample> samples;
  for (int i = 0; i < 9; ++i) {
    samples.push_back(paired(noise.normals(30, 1)));
    samples.push_back(unpaired(noise.normals(14, 1), noise.normals(i < 4 ? 14 : 11, 1)));
    samples.back().contrast = size_t(i % 2);
  }
  const auto before = adjusted(samples, kDrawn);
  for (JointSample& sample : samples) {
    for (UnitValue& value : sample.differences) value.value = -value.value;
    std::ranges::reverse(sample.differences);
    std::swap(sample.a, sample.b);
    std::ranges::reverse(sample.a);
  }
  const auto swapped = adjusted(samples, kDrawn);
  std::ranges::reverse(samples);
  auto reversed = adjusted(samples, kDrawn);
  std::ranges::reverse(reversed);
  for (size_t i = 0; i < before.size(); ++i) {
    EXPECT_EQ(before[i], swapped[i]) << i;
    EXPECT_EQ(before[i], reversed[i]) << i;
  }
}

// Exploratory tests take nothing from the declared ones.
TEST(CompareJoint, FamiliesAreAdjustedApart) {
  sample::Noise noise(55);
  const JointSample plain = paired({0.3, 0.35, 0.28, 0.41, 0.22, 0.31, 0.37, 0.3});
  std::vector<JointSample> samples{plain};
  const double alone = adjusted(samples)[0];
  for (int i = 0; i < 300; ++i) samples.push_back(paired(noise.normals(8, 1), 1));
  const auto outcome = joint_test(samples);
  EXPECT_EQ(outcome.tests[0].adjusted, alone);
  EXPECT_GT(outcome.critical[1], outcome.critical[0]);
}

// A metric with few blocks has a larger t by chance, and must not hide the others.
TEST(CompareJoint, FewBlocksOfOneMetricDoNotHideAnother) {
  sample::Noise noise(56);
  std::vector<JointSample> samples;
  auto plain = noise.normals(16, 0.1);
  for (double& difference : plain) difference += 0.15;
  samples.push_back(paired(plain));
  for (int i = 0; i < 20; ++i) samples.push_back(paired(noise.normals(6, 1)));
  EXPECT_LE(adjusted(samples)[0], 0.05);
}

TEST(CompareJoint, ManyUnitsTakeFewerArrangementsAndAreDecided) {
  sample::Noise noise(57);
  const size_t units = 1'000;
  std::vector<JointSample> samples;
  for (int i = 0; i < 40; ++i) {
    auto b = noise.normals(units, 1);
    for (double& value : b) value += i == 0 ? 0.6 : 0;
    samples.push_back(unpaired(noise.normals(90, 1), b));
    for (size_t unit = 0; unit < samples.back().b.size(); ++unit)
      samples.back().b[unit].unit = int(100 + unit);
  }
  const auto outcome = joint_test(samples, {.additions = 1e6});
  EXPECT_EQ(outcome.arrangements.count, 2'048u);
  EXPECT_LE(outcome.tests[0].adjusted, 0.05);
  EXPECT_GE(outcome.tests[0].adjusted, 1.0 / 2'048);
}

TEST(CompareJoint, NoSpreadIsNoFault) {
  // Counts may have the same difference in each pair.
  const auto flipped =
      joint_test({paired(std::vector<double>(8, 0.25)), paired({1, 2, 3, 1, 2, 3, -1, 2})});
  EXPECT_NEAR(flipped.tests[0].adjusted, 2.0 / 256, 1e-12);
  const auto dealt = joint_test({unpaired(std::vector<double>(6, 3), std::vector<double>(6, 5))});
  EXPECT_NEAR(dealt.tests[0].p, 2.0 / 924, 1e-12);
  EXPECT_TRUE(joint_test({}).tests.empty());
}

// SciPy 1.10.1: norm.isf(t.sf(x, df)).
TEST(CompareJoint, NormalScoresComeNearTheTrueOnes) {
  for (const auto& [t, degrees, z] :
       {std::tuple(2.5, 5.0, 1.9229), std::tuple(6.0, 7.0, 3.4590), std::tuple(3.0, 30.0, 2.7828),
        std::tuple(20.0, 5.0, 4.5344)}) {
    EXPECT_NEAR(std::sqrt(squared_normal_score(t * t, degrees)), z, 0.07) << t;
    EXPECT_NEAR(t_of_normal_score(std::sqrt(squared_normal_score(t * t, degrees)), degrees), t,
                1e-9);
  }
}

// scipy.stats.norm.ppf, t.ppf, and 2 * t.sf of SciPy 1.10.1. Its t.ppf is accurate to nine digits;
// for two degrees of freedom there is a closed form: 0.95 / sqrt(2 * 0.975 * 0.025).
TEST(CompareJoint, QuantilesAgreeWithScipy) {
  EXPECT_NEAR(normal_quantile(0.8), 0.8416212335729143, 1e-12);
  EXPECT_NEAR(normal_quantile(0.025), -1.959963984540054, 1e-12);
  EXPECT_NEAR(normal_quantile(1 - 0.05 / 24), 2.8652602385321346, 1e-12);
  EXPECT_NEAR(student_quantile(0.975, 1), 12.706204736432095, 1e-9);
  EXPECT_NEAR(student_quantile(0.975, 2), 4.302652729911275, 1e-9);
  EXPECT_NEAR(student_quantile(0.01, 5), -3.3649299989072747, 1e-9);
  EXPECT_NEAR(student_quantile(0.975, 38), 2.024394164575136, 1e-9);
  EXPECT_NEAR(student_quantile(0.975, 2), 0.95 / std::sqrt(2 * 0.975 * 0.025), 1e-12);
  EXPECT_NEAR(student_two_sided(-2.2, 3), 0.1151719519764707, 1e-12);
  EXPECT_NEAR(student_two_sided(2.2, 8), 0.05899390791582341, 1e-12);
}

}  // namespace
}  // namespace gilscope
