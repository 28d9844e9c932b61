// perf's counters of a thread against getrusage and the tracer, and the handling of counters that
// are unavailable.
#include <fmt/format.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <thread>

#include "tests/kernel/kernel_test.h"
#include "tests/kernel/program.h"

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

// Moves the threads of a worker back and forth between two CPUs until the worker is gone; the
// kernel alone would move them unpredictably. Main stays: it reads its CPU mask before it makes the
// others.
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

// perf counts, at a switch-in, that the thread has moved since its last one, once however often it
// moved. So its count is at least the number of times that two segments in a row ran on different
// CPUs, and at most the number of sched_migrate_task events. perf alone may see a move before the
// thread entered, at its next switch-in.
TEST_F(PerfEvents, CountMigrationsBetweenTheSeenAndTheRawOnes) {
  const std::vector<int> cpus = all_cpus();
  ASSERT_GE(cpus.size(), 2u) << "one CPU has no migrations: run this on two";
  load({.max_threads = 3, .records = false});
  std::thread mover;
  const auto done = run(make_cell("none", "count:n=12M", 2, cpus),
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

// The report of the program itself.
nlohmann::json report_of(const std::string& before, const std::string& flags) {
  const Ended ended = shell(fmt::format(
      "{} {} run --policy check-interval:100 --workload count:n=10k --arrangement threaded "
      "--cpus all --trace off --blocks 1 --warmup 0 --quiet --json {}",
      before, program(), flags));
  EXPECT_EQ(ended.status, 0) << ended.err;
  return nlohmann::json::parse(ended.out, nullptr, false);
}

// On any machine, a counter is a number in each thread, or missing with a reason.
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

// Simulates a machine without the counter: a counter that the kernel refuses is null, with its
// reason, and the run goes on.
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

}  // namespace
}  // namespace gilscope
