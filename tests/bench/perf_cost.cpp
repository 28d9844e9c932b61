// The cost of counting each thread with perf events, from pairs of runs with and without it: `make
// bench-perf`.
#include <fmt/format.h>

#include <algorithm>

#include "tests/kernel/kernel_test.h"
#include "tools/analysis/statistics.h"

namespace gilscope {
namespace {

class CostOfCounting : public KernelTest {
 protected:
  void print(const std::string& policy, const std::vector<int>& cpus, bool traced) {
    const auto run_once = [&](bool perf) {
      return run(make_cell(policy, "count:n=1M", 2, cpus), {.traced = traced, .perf = perf});
    };
    std::vector<double> walls, ns_a_switch;
    for (int pair = 0; pair < 21; ++pair) {
      const bool with_first = pair % 2;
      auto with = run_once(with_first), without = run_once(!with_first);
      ASSERT_TRUE(with && without);
      if (!with_first) std::swap(with, without);
      walls.push_back(static_cast<double>(with->wall_ns) / static_cast<double>(without->wall_ns));
      ns_a_switch.push_back(cpu_ns_a_switch(*with) - cpu_ns_a_switch(*without));
    }
    fmt::print("{}, {} CPU(s), {}: wall time with over without {}\n", policy, cpus.size(),
               traced ? "traced" : "untraced", text(walls, 3));
    // If threads mostly compute, this would show how the runs differed, not the cost of a switch.
    if (policy.ends_with(",yield")) {
      fmt::print("  CPU time a switch {} ns more\n", text(ns_a_switch, 0));
    }
  }

 private:
  static double cpu_ns_a_switch(const gilscope::Run& run) {
    uint64_t ns = 0, switches = 0;
    for (const Thread& thread : run.threads) {
      ns += thread.usage->cpu_ns;
      switches += thread.usage->voluntary_switches + thread.usage->involuntary_switches;
    }
    return static_cast<double>(ns) / static_cast<double>(std::max<uint64_t>(switches, 1));
  }

  static std::string text(const std::vector<double>& values, int decimals) {
    const auto interval = median_interval(values);
    return fmt::format("{:.{}f} ({:.{}f} to {:.{}f})", *median(values), decimals, interval->low,
                       decimals, interval->high, decimals);
  }
};

TEST_F(CostOfCounting, WhereThreadsContend) {
  load({.max_threads = 3, .records = false});
  for (const bool traced : {false, true}) print("check-interval:100", all_cpus(), traced);
}

// Two threads that yield at every check, each time with a switch; there is no other load.
TEST_F(CostOfCounting, OfSwitches) {
  load({.max_threads = 3, .records = false});
  for (const bool traced : {false, true}) {
    print("check-interval:100,yield", {all_cpus().front()}, traced);
  }
}

}  // namespace
}  // namespace gilscope
