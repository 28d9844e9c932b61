// The units that compare counts as one observation: blocks, boots, machines.
#include <gmock/gmock.h>

#include "tests/unit/comparable_report.h"
#include "tools/compare/sides.h"

namespace gilscope {
namespace {

using sample::comparable;
using sample::compare;
using sample::compared;
using sample::metric;
using sample::put;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class CompareUnits : public testing::Test {
 protected:
  // A report of a kernel on a machine, `times` as slow as the sample.
  void run(const std::string& kernel, const std::string& host, double times,
           const std::string& boot = "b") {
    const uint64_t seed = ++reports_;
    put(directory_, fmt::format("all/{}", seed),
        comparable({.seed = seed, .times = times, .kernel = kernel, .host = host, .boot = boot}));
  }

  std::string all() const { return directory_ / "all"; }

  Comparison by_kernel(const std::vector<std::string>& within = {}) const {
    return compared({all()}, "kernel", {.sides = {.by = "", .within = within, .baseline = {}}});
  }

  static const MetricResult& wall(const Comparison& comparison) {
    return metric(comparison, "check-interval:100, threaded, 2 CPUs", "wall_ns");
  }

  TemporaryDirectory directory_;
  uint64_t reports_ = 0;
};

TEST_F(CompareUnits, MachinesAreEstimatedApartAndCombined) {
  for (const char* host : {"alpha", "beta", "gamma"}) {
    // A machine twice as fast as another must not blur the kernel's effect on each.
    const double speed = host[0] == 'a' ? 1 : host[0] == 'b' ? 2 : 3;
    run("6.1", host, speed);
    run("6.2", host, speed * 1.2);
  }
  const Comparison comparison = by_kernel();
  const MetricResult& result = wall(comparison);
  ASSERT_EQ(result.machines.size(), 3u);
  EXPECT_EQ(result.machines[0].machine, "alpha");
  for (const MachineResult& machine : result.machines)
    EXPECT_NEAR(from_scale(Scale::ratio, machine.effect->estimate.value), 1.2, 0.02);
  EXPECT_NEAR(*result.change, 1.2, 0.02);
  EXPECT_EQ(result.verdict, Verdict::slower);
  EXPECT_FALSE(result.combined->signs_differ);
}

TEST_F(CompareUnits, MachinesThatDisagreeInSignSaySo) {
  run("6.1", "alpha", 1), run("6.2", "alpha", 1.2);
  run("6.1", "beta", 1), run("6.2", "beta", 0.8);
  const Comparison comparison = by_kernel();
  EXPECT_TRUE(wall(comparison).combined->contradictory);
  EXPECT_EQ(wall(comparison).verdict, Verdict::undecided);
  EXPECT_THAT(compare({all(), "--by", "kernel"}).out, HasSubstr("THE BOXES CONTRADICT EACH OTHER"));
}

TEST_F(CompareUnits, AMachineWithOneSideIsLeftOutAndNamed) {
  run("6.1", "alpha", 1), run("6.2", "alpha", 1.2);
  run("6.1", "beta", 5);
  const Comparison comparison = by_kernel();
  EXPECT_EQ(wall(comparison).machines.size(), 1u);
  EXPECT_NEAR(*wall(comparison).change, 1.2, 0.02);
  EXPECT_THAT(comparison.results[0].cells[0].machines_left_out, ElementsAre("beta"));
}

TEST_F(CompareUnits, HostsAreComparedWhereTheyAreAsked) {
  run("6.1", "alpha", 1), run("6.1", "beta", 1.5);
  const auto outcome = compare({all(), "--by", "host", "--all"});
  EXPECT_EQ(outcome.exit, 1) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("slower with beta than with alpha"));
}

TEST_F(CompareUnits, WithinAMachineIsACellForEach) {
  for (const char* host : {"alpha", "beta"}) run("6.1", host, 1), run("6.2", host, 1.2);
  const Comparison comparison = by_kernel({"host"});
  EXPECT_EQ(comparison.results[0].cells.size(), 8u);
  for (const CellResult& cell : comparison.results[0].cells) {
    EXPECT_THAT(cell.name, HasSubstr("name "));
    EXPECT_EQ(cell.metrics[0].machines.size(), 1u);
  }
}

TEST_F(CompareUnits, ABootIsOneObservation) {
  for (int boot = 0; boot < 6; ++boot) {
    // A boot affects all its blocks more than they differ among themselves.
    const double whim = 1 + 0.01 * boot;
    run("6.1", "alpha", whim, fmt::format("old {}", boot));
    run("6.2", "alpha", whim * 1.2, fmt::format("new {}", boot));
  }
  const Comparison comparison = by_kernel();
  EXPECT_EQ(wall(comparison).blocks_a, 6u);
  EXPECT_EQ(wall(comparison).machines[0].unit, Unit::boot);
  EXPECT_NEAR(*wall(comparison).change, 1.2, 0.02);
  EXPECT_THAT(compare({all(), "--by", "kernel"}).out, HasSubstr("one boot is one observation"));
}

TEST_F(CompareUnits, ThreeBootsAreTooFewHoweverManyBlocks) {
  for (int boot = 0; boot < 3; ++boot) {
    run("6.1", "alpha", 1, fmt::format("old {}", boot));
    run("6.2", "alpha", 1.5, fmt::format("new {}", boot));
  }
  const Comparison comparison = by_kernel();
  EXPECT_EQ(wall(comparison).blocks_a, 3u);
  EXPECT_EQ(wall(comparison).verdict, Verdict::undecided);
}

TEST_F(CompareUnits, OneBootEachIsComparedByBlocksAndSaysSo) {
  run("6.1", "alpha", 1, "old"), run("6.2", "alpha", 1.2, "new");
  const Comparison comparison = by_kernel();
  EXPECT_EQ(wall(comparison).machines[0].unit, Unit::block);
  EXPECT_THAT(compare({all(), "--by", "kernel"}).out, HasSubstr("One boot each"));
}

TEST_F(CompareUnits, AReportIsTakenOnce) {
  run("6.1", "alpha", 1), run("6.2", "alpha", 1.2);
  const Comparison before = by_kernel();
  const double once = *wall(before).change;
  put(directory_, "all/again",
      comparable({.seed = 1, .kernel = "6.1", .host = "alpha", .boot = "b"}));
  const Comparison comparison = by_kernel();
  EXPECT_EQ(wall(comparison).change, once);
  EXPECT_EQ(wall(comparison).blocks_a, 8u);
}

TEST_F(CompareUnits, KeysThatVaryWithinASideAreNamed) {
  run("6.1", "alpha", 1), run("6.1", "alpha", 1), run("6.2", "alpha", 1.2);
  Report other = comparable({.seed = 9, .kernel = "6.1", .host = "alpha", .boot = "b"});
  for (Fact& fact : other.environment) {
    if (fact.key == "cpu.model") fact.value = std::string("Another");
  }
  put(directory_, "all/other", other);
  const auto outcome = compare({all(), "--by", "kernel"});
  EXPECT_THAT(outcome.out, HasSubstr("environment.cpu.model varies within 6.1: AMD EPYC, Another"));
  EXPECT_THAT(compare({all(), "--by", "kernel", "--within", "cpu.model"}).out,
              Not(HasSubstr("varies within")));
}

TEST_F(CompareUnits, TheLowestValueIsTheBaseline) {
  const auto levels = [&](const std::vector<std::string>& policies) {
    TemporaryDirectory directory;
    Report report = comparable();
    const Cell cell = report.cells.front();
    report.cells.clear();
    for (const std::string& policy : policies) {
      report.cells.push_back(cell);
      report.cells.back().policy = policy;
    }
    return compared({put(directory, "a", report)}, "policy").axis.levels;
  };
  EXPECT_THAT(levels({"switch-interval:20ms", "switch-interval:500us", "switch-interval:1ms"}),
              ElementsAre("switch-interval:500us", "switch-interval:1ms", "switch-interval:20ms"));
  EXPECT_THAT(levels({"check-interval:10k", "check-interval:1k", "check-interval:100",
                      "check-interval:10"}),
              ElementsAre("check-interval:10", "check-interval:100", "check-interval:1k",
                          "check-interval:10k"));
}

TEST_F(CompareUnits, AReleaseCandidateComesBeforeItsRelease) {
  run("6.18.0", "alpha", 1), run("6.18.0-rc1", "alpha", 1), run("6.1.0-28-amd64", "alpha", 1);
  EXPECT_THAT(by_kernel().axis.levels, ElementsAre("6.1.0-28-amd64", "6.18.0-rc1", "6.18.0"));
}

TEST_F(CompareUnits, DecimalsAreNoVersions) {
  for (const double load : {0.5, 0.25, 10.0}) {
    Report report = comparable({.seed = ++reports_});
    report.environment.push_back({"made.up", load, ""});
    put(directory_, fmt::format("all/{}", reports_), report);
  }
  EXPECT_THAT(compared({all()}, "made.up").axis.levels, ElementsAre("0.25", "0.5", "10"));
}

}  // namespace
}  // namespace gilscope
