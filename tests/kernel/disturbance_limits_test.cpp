// Limits in real runs: another process on the run's only CPU is noticed, marked, and left out of
// the results; a limit that is off reports nothing.
#include <unistd.h>

#include <algorithm>

#include "tests/kernel/hog.h"
#include "tests/kernel/kernel_test.h"
#include "tests/kernel/program.h"
#include "userspace/report/json.h"

namespace gilscope {
namespace {

const Disturbance* find(const gilscope::Run& run, const std::string& kind) {
  const auto found = std::find_if(run.disturbances.begin(), run.disturbances.end(),
                                  [&](const Disturbance& result) { return result.kind == kind; });
  return found == run.disturbances.end() ? nullptr : &*found;
}

class DisturbanceLimitsTest : public KernelTest {
 protected:
  void SetUp() override { load({.max_threads = 3, .records = false}); }

  const int cpu_ = all_cpus().back();
  // Long enough that the resolution of /proc/stat is small beside it.
  const Cell cell_ = make_cell("check-interval:100", "count:n=4M", 2, {cpu_});
};

TEST_F(DisturbanceLimitsTest, AProcessOnTheRunsCpuIsNoticedTracedAndUntraced) {
  const Hog hog(cpu_);
  ASSERT_TRUE(hog.works());
  for (const bool traced : {true, false}) {
    const auto disturbed = run(cell_, {.traced = traced});
    ASSERT_TRUE(disturbed);
    const Disturbance* foreign = find(*disturbed, "foreign");
    ASSERT_NE(foreign, nullptr) << (traced ? "traced" : "untraced");
    EXPECT_DOUBLE_EQ(foreign->limit, 0.25);
    ASSERT_TRUE(foreign->value);
    EXPECT_GT(*foreign->value, 0.25);
    EXPECT_LE(*foreign->value, 1);
    EXPECT_TRUE(disturbed->disturbed());

    DisturbanceLimits off;
    off.foreign.reset();
    const auto unmarked = run(cell_, {.traced = traced, .limits = off});
    ASSERT_TRUE(unmarked);
    EXPECT_EQ(find(*unmarked, "foreign"), nullptr);
  }
}

TEST_F(DisturbanceLimitsTest, WhatTheTracerSawIsWhatTheDisturbanceLimitSays) {
  const Hog hog(cpu_);
  ASSERT_TRUE(hog.works());
  DisturbanceLimits all;
  all.foreign = 0;
  const auto traced = run(cell_, {.traced = true, .limits = all});
  ASSERT_TRUE(traced);
  const CpuTrace& cpu = traced->cpus.at(0);
  const Disturbance* foreign = find(*traced, "foreign");
  ASSERT_TRUE(foreign && foreign->value) << "the hog is foreign";
  EXPECT_DOUBLE_EQ(*foreign->value,
                   static_cast<double>(*cpu.foreign_ns) / static_cast<double>(*traced->window_ns));
  // Every thread kept to its CPU, and this machine can tell.
  EXPECT_EQ(find(*traced, "migrated_off_mask"), nullptr);
  EXPECT_EQ(find(*traced, "offline"), nullptr);
}

// A run is held to the CPUs of its cell, whatever the kernel allowed it.
TEST_F(DisturbanceLimitsTest, AThreadOutsideTheRunsCpusIsNoticed) {
  ASSERT_GE(all_cpus().size(), 2u) << "needs two CPUs to stray between";
  const int other = all_cpus().front();
  const auto stray = [&](pid_t pid) {
    // The worker has to set its own mask and make its threads first, which nothing reports here.
    for (int i = 0; i < 20; ++i) {
      usleep(10'000);
      shell(fmt::format("taskset -a -p -c {} {}", other, pid));
    }
  };
  const auto traced = run(make_cell("check-interval:100", "count:n=5M", 2, {cpu_}),
                          {.traced = true, .on_started = stray});
  ASSERT_TRUE(traced);
  const Disturbance* strayed = find(*traced, "migrated_off_mask");
  ASSERT_TRUE(strayed && strayed->value);
  EXPECT_EQ(*strayed->value, 1);
}

// Long enough that the resolution of /proc/stat is small beside it.
std::string spec(int cpu, const std::string& disturbances) {
  return fmt::format(
      "name = \"hog\"\npolicies = \"none\"\nworkloads = \"count:n=4M\"\narrangements = "
      "\"threaded\"\n"
      "cpus = \"cpu:{}\"\nblocks = 1\nwarmup = 0\n{}",
      cpu, disturbances);
}

TEST_F(DisturbanceLimitsTest, LeaveARunOutOfWhatIsShown) {
  const Scratch scratch;
  const Hog hog(cpu_);
  ASSERT_TRUE(hog.works());
  const std::string out = scratch.path("gated"), off = scratch.path("off");
  const Ended disturbed = gilscope_run(
      {"run", scratch.file("gated.toml", spec(cpu_, "[gates]\nforeign = 0.2\n")), "--out", out});
  ASSERT_EQ(disturbed.status, 0) << disturbed.err;
  const auto report = read_report(out);
  ASSERT_TRUE(report) << report.error().message;
  ASSERT_EQ(report->cells.at(0).runs.size(), 2u);
  for (const auto& run : report->cells[0].runs) {
    EXPECT_EQ(run.status, "done");
    ASSERT_NE(find(run, "foreign"), nullptr);
    EXPECT_DOUBLE_EQ(find(run, "foreign")->limit, 0.2);
  }
  EXPECT_NE(disturbed.out.find("by limits: 2 of 2 measured runs"), std::string::npos)
      << disturbed.out;
  const Ended shown = gilscope_run({"show", "--all", out});
  EXPECT_NE(shown.out.find("above 20.0 %"), std::string::npos) << shown.out;
  EXPECT_EQ(gilscope_run({"validate", out}).status, 0);

  std::string none = "[gates]\n";
  for (const DisturbanceRule& rule : disturbance_rules())
    none += fmt::format("{} = false\n", rule.name);
  const Ended undisturbed =
      gilscope_run({"run", scratch.file("off.toml", spec(cpu_, none)), "--out", off});
  ASSERT_EQ(undisturbed.status, 0) << undisturbed.err;
  EXPECT_EQ(undisturbed.out.find("by limits"), std::string::npos) << undisturbed.out;
  const auto unmarked = read_report(off);
  ASSERT_TRUE(unmarked);
  for (const auto& run : unmarked->cells.at(0).runs) EXPECT_TRUE(run.disturbances.empty());
}

}  // namespace
}  // namespace gilscope
