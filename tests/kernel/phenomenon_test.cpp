// The phenomenon itself, in ratios and rates: the effects that the seed article describes must
// appear here. No assertion concerns an absolute time.
#include <algorithm>

#include "tests/kernel/kernel_test.h"
#include "tools/analysis/statistics.h"

namespace gilscope {
namespace {

// Above this, threads on one CPU cost something.
constexpr double kNothing = 1.25;

class Phenomenon : public KernelTest {
 protected:
  // The CPU time that the kernel charged the worker. Unlike wall time, it excludes other processes.
  double cpu_ns(const std::string& policy, const std::string& arrangement,
                const std::vector<int>& cpus) {
    auto done = run(make_cell(policy, "count:n=500k", 2, cpus, arrangement), {});
    return done ? static_cast<double>(done->rusage.user_ns + done->rusage.system_ns) : 0;
  }

  // The median ratio of threads running together to the same threads one after the other.
  double slowdown(const std::string& policy, const std::vector<int>& cpus) {
    std::vector<double> slowdowns;
    for (int block = 0; block < 9; ++block) {
      // The order alternates between blocks, because the machine changes from one run to the next.
      bool threaded_first = block % 2;
      double first = cpu_ns(policy, threaded_first ? "threaded" : "sequential", cpus);
      double second = cpu_ns(policy, threaded_first ? "sequential" : "threaded", cpus);
      slowdowns.push_back(threaded_first ? first / second : second / first);
    }
    return median(slowdowns).value_or(0);
  }

  // Wakeups that found the GIL taken again, per acquisition.
  std::optional<double> wasted_an_acquire(const std::vector<int>& cpus) {
    auto traced = run(make_cell("check-interval:100", "count:n=3M", 2, cpus), {.traced = true});
    if (!traced || traced->gil.acquires == 0) return std::nullopt;
    uint64_t wasted = 0;
    for (const CpuTrace& cpu : traced->cpus) wasted += cpu.wasted_wakeups;
    return static_cast<double>(wasted) / static_cast<double>(*traced->gil.acquires);
  }
};

TEST_F(Phenomenon, OnOneCpuALockCostsNothingToSpeakOf) {
  load({.records = false});
  std::vector<int> one = all_cpus();
  one.resize(1);
  for (const char* policy : {"check-interval:100", "check-interval:100,lock=condvar",
                             "switch-interval:5ms", "switch-interval:5ms,flag=thread"}) {
    // A quarter allows for the few switches, and for a machine whose speed changes during the test;
    // the latter may happen once, but not three times in a row.
    double least = slowdown(policy, one);
    for (int again = 0; again < 2 && least > kNothing; ++again) {
      least = std::min(least, slowdown(policy, one));
    }
    EXPECT_LE(least, kNothing) << policy;
    EXPECT_GT(least, 0) << policy;
  }
}

TEST_F(Phenomenon, CheckIntervalWastesWakeupsOnSeveralCpus) {
  ASSERT_GE(all_cpus().size(), 2u) << "one CPU cannot show it: run this on two";
  load({.max_threads = 3, .records = false});
  std::vector<int> one = all_cpus();
  one.resize(1);
  // How many depends on which CPU the kernel puts the loser on, which differs from run to run.
  std::vector<double> on_one, on_all;
  for (int i = 0; i < 9; ++i) {
    const auto alone = wasted_an_acquire(one), together = wasted_an_acquire(all_cpus());
    ASSERT_TRUE(alone && together);
    on_one.push_back(*alone);
    on_all.push_back(*together);
  }
  const double most = *std::ranges::max_element(on_all);
  EXPECT_GT(most, 0);
  EXPECT_GE(most, 10 * *median(on_one))
      << "on one CPU the loser runs only when the kernel takes the CPU from the winner";
}

TEST_F(Phenomenon, SwitchIntervalSwitchesOnceAnInterval) {
  load({.max_threads = 3, .records = false});
  for (double interval_ms : {2.0, 5.0}) {
    std::string policy = fmt::format("switch-interval:{}ms", interval_ms);
    auto traced = run(make_cell(policy, "count:n=8M", 2, all_cpus()), {.traced = true});
    ASSERT_TRUE(traced);
    double switches = static_cast<double>(*traced->gil.drop_requests);
    double expected = static_cast<double>(*traced->window_ns) / 1e6 / interval_ms;
    // A wait may time out late but never early, so the clock sets the upper bound.
    EXPECT_LE(switches, expected + 2) << policy;
    EXPECT_GE(switches, expected * 0.3) << policy;
  }
}

}  // namespace
}  // namespace gilscope
