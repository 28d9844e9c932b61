// perf's counters of a thread against what getrusage and the tracer say of it, what becomes of
// those that cannot be had, and what counting costs.
#include <fmt/format.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <thread>

#include "tests/kernel/kernel_test.h"
#include "tests/kernel/program.h"
#include "tools/statistics.h"

namespace gilscope {
namespace {

uint64_t apart(uint64_t a, uint64_t b) {
  return a > b ? a - b : b - a;
}

class PerfEvents : public KernelTest {
 protected:
  std::optional<gilscope::Run> counted(const std::string& policy, int threads) {
    return run(make_cell(policy, "count:n=300k", threads, all_cpus()),
               {.traced = true, .perf = true});
  }
};

TEST_F(PerfEvents, CountTheSwitchesThatGetrusageCounts) {
  load({.max_threads = 9, .records = false});
  for (const char* policy : {"check-interval:100", "fifo:100", "switch-interval:1ms"}) {
    for (const int threads : {2, 8}) {
      const auto done = counted(policy, threads);
      ASSERT_TRUE(done);
      for (const Thread& thread : done->threads) {
        ASSERT_TRUE(thread.perf && thread.usage && thread.trace) << thread.name;
        ASSERT_TRUE(thread.perf->context_switches);
        const ThreadUsage& usage = *thread.usage;
        const uint64_t switches = usage.voluntary_switches + usage.involuntary_switches;
        EXPECT_LE(apart(*thread.perf->context_switches, switches), usage.slack_switches)
            << policy << " " << thread.name << ": perf " << *thread.perf->context_switches
            << ", getrusage " << switches;
      }
    }
  }
}

// Moves the threads of a worker to and fro between two CPUs until it is gone; how often the kernel
// would do so is its own affair. Main stays: it looks at its CPUs before it makes the others.
void move_threads_of(pid_t pid, const std::vector<int>& cpus) {
  namespace fs = std::filesystem;
  for (size_t turn = 0;; ++turn) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpus[turn % 2], &set);
    std::error_code gone;
    for (fs::directory_iterator task(fmt::format("/proc/{}/task", pid), gone), end;
         !gone && task != end; task.increment(gone)) {
      const pid_t tid = std::stoi(task->path().filename());
      if (tid != pid) sched_setaffinity(tid, sizeof(set), &set);
    }
    if (gone) return;
    usleep(1'000);
  }
}

// perf counts at a switch-in that the thread has been moved since its last one, however often: at
// least when two segments in a row ran on different cores, at most once for each
// sched_migrate_task. A move before the thread entered may be seen by perf alone, at its next
// switch-in.
TEST_F(PerfEvents, CountMigrationsBetweenTheSeenAndTheRawOnes) {
  const std::vector<int> cpus = all_cpus();
  ASSERT_GE(cpus.size(), 2u) << "one CPU has no migrations: run this on two";
  load({.max_threads = 3, .records = false});
  std::thread mover;
  const auto done = run(make_cell("none", "count:n=3M", 2, cpus),
                        {.traced = true, .perf = true, .on_started = [&](pid_t pid) {
                           mover = std::thread([&cpus, pid] { move_threads_of(pid, cpus); });
                         }});
  if (mover.joinable()) mover.join();
  ASSERT_TRUE(done);
  for (const Thread& thread : done->threads) {
    ASSERT_TRUE(thread.perf && thread.perf->migrations && thread.trace) << thread.name;
    const ThreadTrace& trace = *thread.trace;
    const uint64_t slack = thread.usage->slack_switches;
    EXPECT_GE(*thread.perf->migrations + slack, trace.migrations_wakeup + trace.migrations_preempt)
        << thread.name;
    EXPECT_LE(*thread.perf->migrations, trace.migrations_raw + 1 + slack) << thread.name;
    if (thread.role == "worker") {
      EXPECT_GT(*thread.perf->migrations, 10u) << thread.name;
    }
  }
}

TEST_F(PerfEvents, AreNotOpenedUnlessAskedFor) {
  load({.max_threads = 3, .records = false});
  const auto done =
      run(make_cell("check-interval:100", "count:n=10k", 2, all_cpus()), {.traced = true});
  ASSERT_TRUE(done);
  for (const Thread& thread : done->threads) EXPECT_FALSE(thread.perf);
}

// The report of a run of the program itself.
nlohmann::json report_of(const std::string& before, const std::string& flags) {
  const Ended ended = shell(fmt::format(
      "{} {} run --policy check-interval:100 --workload count:n=10k --arrangement threaded "
      "--cpus all --trace off --blocks 1 --warmup 0 --quiet --json {}",
      before, program(), flags));
  EXPECT_EQ(ended.status, 0) << ended.err;
  return nlohmann::json::parse(ended.out, nullptr, false);
}

// Whatever the box has: a counter is a number in each thread, or missing with a reason.
TEST(PerfReport, SaysWhyACounterIsMissing) {
  const auto report = report_of("", "--threads 2 --perf");
  ASSERT_TRUE(report.is_object());
  const auto& facts = report["capabilities"];
  ASSERT_EQ(facts["perf"].size(), 5u);
  for (const auto& [counter, there] : facts["perf"].items()) {
    const auto& missing = facts.value("missing", nlohmann::json::object());
    EXPECT_NE(there.is_null(), !missing.contains("perf." + counter)) << counter;
    if (there.is_null()) fmt::print("{}: {}\n", counter, std::string(missing["perf." + counter]));
    for (const auto& thread : report["cells"][0]["runs"][0]["threads"]) {
      EXPECT_EQ(thread["perf"][counter].is_number(), !there.is_null()) << counter;
    }
  }
}

// As on a box without the counter: what the kernel refuses is null, with its reason, and the run
// goes on.
TEST(PerfReport, HasTheReasonWhereTheKernelRefuses) {
  const auto report = report_of("ulimit -n 64; exec", "--threads 40 --perf");
  ASSERT_TRUE(report.is_object());
  const auto& facts = report["capabilities"];
  EXPECT_TRUE(facts["perf"]["migrations"].is_null());
  EXPECT_NE(facts["missing"]["perf.migrations"].dump().find("Too many open files"),
            std::string::npos)
      << facts.dump();
  size_t with = 0, without = 0;
  for (const auto& thread : report["cells"][0]["runs"][0]["threads"]) {
    ++(thread["perf"]["migrations"].is_null() ? without : with);
  }
  EXPECT_GT(with, 0u);
  EXPECT_GT(without, 0u);
}

// Run by hand: what counting costs a run, by pairs of runs in turns. docs/metrics.md names it.
class CostOfCounting : public PerfEvents {
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
    // Where threads mostly compute, this says how the runs differed and not what a switch costs.
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

TEST_F(CostOfCounting, DISABLED_WhereThreadsContend) {
  load({.max_threads = 3, .records = false});
  for (const bool traced : {false, true}) print("check-interval:100", all_cpus(), traced);
}

// Two threads that yield at every check, and a switch each time: nothing else is in the way.
TEST_F(CostOfCounting, DISABLED_OfSwitches) {
  load({.max_threads = 3, .records = false});
  for (const bool traced : {false, true}) {
    print("check-interval:100,yield", {all_cpus().front()}, traced);
  }
}

}  // namespace
}  // namespace gilscope
