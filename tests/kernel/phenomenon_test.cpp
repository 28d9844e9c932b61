// The phenomenon itself, in ratios and rates: what the seed article saw must be seen here. Nothing
// asserts how long anything takes.
#include <algorithm>

#include "tests/kernel/kernel_test.h"
#include "tools/statistics.h"

namespace gilscope {
namespace {

class Phenomenon : public KernelTest {
 protected:
  double wall_ns(const std::string& policy, const std::string& arrangement,
                 const std::vector<int>& cpus) {
    auto done = run(make_cell(policy, "count:n=500k", 2, cpus, arrangement), {});
    return done ? static_cast<double>(done->wall_ns) : 0;
  }
};

TEST_F(Phenomenon, OnOneCpuALockCostsNothingToSpeakOf) {
  load({.records = false});
  std::vector<int> one = all_cpus();
  one.resize(1);
  for (const char* policy : {"check-interval:100", "check-interval:100,lock=condvar",
                             "switch-interval:5ms", "switch-interval:5ms,flag=thread"}) {
    std::vector<double> slowdowns;
    for (int block = 0; block < 11; ++block) {
      // Within a block, in turns: whichever comes second meets another box.
      bool threaded_first = block % 2;
      double first = wall_ns(policy, threaded_first ? "threaded" : "sequential", one);
      double second = wall_ns(policy, threaded_first ? "sequential" : "threaded", one);
      slowdowns.push_back(threaded_first ? first / second : second / first);
    }
    auto interval = median_interval(slowdowns);
    ASSERT_TRUE(interval);
    // A tenth to either side, for the switches that there are and for a box that is not quiet.
    EXPECT_LE(interval->low, 1.1) << policy;
    EXPECT_GE(interval->high, 0.9) << policy;
  }
}

TEST_F(Phenomenon, CheckIntervalWastesWakeupsOnSeveralCpus) {
  ASSERT_GE(all_cpus().size(), 2u) << "one CPU cannot show it: run this on two";
  load({.max_threads = 3, .records = false});
  // How many depends on where the kernel puts the loser, which differs from run to run.
  double most_per_second = 0;
  for (int i = 0; i < 9; ++i) {
    auto traced =
        run(make_cell("check-interval:100", "count:n=3M", 2, all_cpus()), {.traced = true});
    ASSERT_TRUE(traced);
    uint64_t wasted = 0;
    for (const Core& core : traced->cores) wasted += core.wasted_wakeups;
    most_per_second = std::max(most_per_second, static_cast<double>(wasted) * 1e9 /
                                                    static_cast<double>(*traced->window_ns));
  }
  EXPECT_GE(most_per_second, 300);
}

TEST_F(Phenomenon, SwitchIntervalSwitchesOnceAnInterval) {
  load({.max_threads = 3, .records = false});
  for (double interval_ms : {2.0, 5.0}) {
    std::string policy = fmt::format("switch-interval:{}ms", interval_ms);
    auto traced = run(make_cell(policy, "count:n=8M", 2, all_cpus()), {.traced = true});
    ASSERT_TRUE(traced);
    double switches = static_cast<double>(traced->gil.drop_requests);
    double expected = static_cast<double>(*traced->window_ns) / 1e6 / interval_ms;
    // A wait may run out late and never early: the upper bound is the clock's.
    EXPECT_LE(switches, expected + 2) << policy;
    EXPECT_GE(switches, expected * 0.3) << policy;
  }
}

}  // namespace
}  // namespace gilscope
