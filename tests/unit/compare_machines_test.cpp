// Several machines: random effects against statsmodels, and refusals.
#include "tools/compare/machines.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "tests/unit/compare_samples.h"
#include "tools/analysis/quantiles.h"

namespace gilscope {
namespace {

std::vector<MachineEffect> machines(const std::vector<std::pair<double, double>>& values) {
  std::vector<MachineEffect> result;
  for (const auto& [log_ratio, error] : values) {
    const Interval interval{log_ratio - 1.96 * error, log_ratio + 1.96 * error};
    result.push_back({fmt::format("machine {}", result.size() + 1), log_ratio, error, interval});
  }
  return result;
}

// The 13 trials of the BCG vaccine (Colditz et al. 1994), a common example: their log risk ratios
// and standard errors. statsmodels 0.13.5: combine_effects(y, se**2, method_re='iterated',
// use_t=True), tau2, mean_effect_re and the third of conf_int; metafor documents the same tau2 for
// PM.
TEST(CompareMachines, AgreeWithStatsmodels) {
  const auto combined = combine(machines({{-0.889311, 0.5706},
                                          {-1.585389, 0.441114},
                                          {-1.348073, 0.64449},
                                          {-1.441551, 0.141457},
                                          {-0.217547, 0.226297},
                                          {-0.786116, 0.0831},
                                          {-1.620898, 0.472247},
                                          {0.011952, 0.062941},
                                          {-0.469418, 0.237559},
                                          {-1.371345, 0.270231},
                                          {-0.339359, 0.11141},
                                          {0.445913, 0.72973},
                                          {-0.017314, 0.267217}}))
                            .value();
  EXPECT_NEAR(std::pow(combined.between, 2), 0.31806827623107475, 1e-9);
  EXPECT_NEAR(combined.value, -0.71496826709385, 1e-9);
  EXPECT_NEAR(combined.interval.low, -1.10909843, 1e-7);
  EXPECT_NEAR(combined.interval.high, -0.32083811, 1e-7);
  EXPECT_NEAR(combined.p, student_two_sided(0.71496826709385 / 0.18089216001800112, 12), 1e-9);
  EXPECT_TRUE(combined.signs_differ);
  EXPECT_FALSE(combined.contradictory);
}

// Six pairs: the smallest and largest ratios are the interval's ends, which cover 62 of 64 cases.
TEST(CompareMachines, StandardErrorIsThatOfTheInterval) {
  const Effect effect =
      sample::effect(Design::paired, {1, 1, 1, 1, 1, 1}, {1.1, 1.2, 1.3, 1.4, 1.6, 1.5});
  const double half = std::log(1.6 / 1.1) / 2;
  const MachineEffect machine = machine_effect("machine 1", effect).value();
  EXPECT_NEAR(machine.standard_error, half / student_quantile(63.0 / 64, 5), 1e-12);
  EXPECT_DOUBLE_EQ(machine.value, effect.estimate.value);
}

// The same call for three machines that contradict each other.
TEST(CompareMachines, ThatContradictEachOtherSaySo) {
  const auto three = combine(machines({{0.05, 0.012}, {0.11, 0.02}, {-0.04, 0.015}})).value();
  EXPECT_TRUE(three.signs_differ);
  EXPECT_TRUE(three.contradictory);
  const auto combined = combine(machines({{0.05, 0.012}, {0.11, 0.02}, {-0.02, 0.015}})).value();
  EXPECT_NEAR(std::pow(combined.between, 2), 0.003926273017297455, 1e-9);
  EXPECT_NEAR(combined.value, 0.04582908527954295, 1e-9);
  EXPECT_NEAR(combined.interval.low, -0.11477586, 1e-7);
  EXPECT_NEAR(combined.interval.high, 0.20643403, 1e-7);
  EXPECT_TRUE(combined.signs_differ);
  EXPECT_FALSE(combined.contradictory);
  EXPECT_TRUE(combined.interval.includes(0));
}

// Machines that agree better than their errors allow: the interval is no narrower than the errors.
TEST(CompareMachines, ThatAgreeByLuckAreNoSurer) {
  const auto combined = combine(machines({{0.100, 0.02}, {0.101, 0.02}, {0.102, 0.02}})).value();
  EXPECT_EQ(combined.between, 0);
  EXPECT_NEAR(combined.value, 0.101, 1e-12);
  const double half = student_quantile(0.975, 2) * 0.02 / std::sqrt(3.0);
  EXPECT_NEAR(combined.interval.high, 0.101 + half, 1e-12);
  EXPECT_FALSE(combined.signs_differ);
}

TEST(CompareMachines, OrderAndSidesChangeNothing) {
  auto list = machines({{0.05, 0.012}, {0.11, 0.02}, {-0.02, 0.015}, {0.07, 0.03}});
  const auto combined = combine(list).value();
  std::rotate(list.begin(), list.begin() + 1, list.end());
  EXPECT_EQ(combine(list)->value, combined.value);
  EXPECT_EQ(combine(list)->interval.high, combined.interval.high);
  for (MachineEffect& machine : list) machine.value = -machine.value;
  EXPECT_NEAR(combine(list)->value, -combined.value, 1e-12);
  EXPECT_NEAR(combine(list)->interval.low, -combined.interval.high, 1e-12);
}

// Six machines with ten blocks each, around a truth of their own: the interval is that of their
// mean.
TEST(CompareMachines, IntervalsCoverTheMeanOfAllMachines) {
  sample::Noise noise(41);
  constexpr int kRounds = int(sample::rounds(1500));
  int covered = 0;
  for (int i = 0; i < kRounds; ++i) {
    std::vector<MachineEffect> list;
    for (int machine = 0; machine < 6; ++machine) {
      const double truth = 0.05 + 0.03 * noise.normal();
      const auto blocks = noise.normals(10, 0.05);
      const Effect effect = sample::effect(Design::paired, sample::values(noise, 1, blocks, 0.03),
                                           sample::values(noise, std::exp(truth), blocks, 0.03));
      list.push_back(machine_effect("box", effect).value());
    }
    if (combine(list)->interval.includes(0.05)) ++covered;
  }
  fmt::print("6 machines: {:.1f} % of the intervals cover\n", 100.0 * covered / kRounds);
  if (sample::kFewRounds) return;
  EXPECT_GE(covered, kRounds * 0.93);
  EXPECT_LE(covered, kRounds * 0.97);
}

TEST(CompareMachines, RefuseWhatCannotBeCombined) {
  EXPECT_FALSE(combine({}));
  EXPECT_FALSE(combine(machines({{0.1, 0.1}})));
  EXPECT_EQ(combine(machines({{0.1, 0.1}})).error().code, Exit::no_data);
  for (const auto& bad : std::vector<std::pair<double, double>>{
           {std::nan(""), 0.1}, {INFINITY, 0.1}, {0.1, std::nan("")}, {0.1, INFINITY}, {0.1, -1}}) {
    const auto refused = combine(machines({{0.1, 0.1}, bad}));
    ASSERT_FALSE(refused);
    EXPECT_TRUE(refused.error().message.starts_with("machine 2: ")) << refused.error().message;
  }
  // Values that are counted may have no spread at all.
  const auto exact = combine(machines({{0.1, 0}, {0.1, 0}}));
  ASSERT_TRUE(exact);
  EXPECT_NEAR(exact->value, 0.1, 1e-9);
  EXPECT_FALSE(machine_effect("machine 1", sample::effect(Design::paired, {1, 2}, {1, 2})));
}

}  // namespace
}  // namespace gilscope
