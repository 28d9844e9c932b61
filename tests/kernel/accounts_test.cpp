// What the tracer says of each thread against what the kernel's own accounts say of it, which are
// kept elsewhere and without BPF: getrusage(RUSAGE_THREAD) and CLOCK_THREAD_CPUTIME_ID.
#include <algorithm>
#include <cctype>
#include <map>

#include "tests/kernel/kernel_test.h"

namespace gilscope {
namespace {

struct Case {
  std::string policy, arrangement;
  int threads;
  bool every_cpu;
};

std::string name_of(const ::testing::TestParamInfo<Case>& info) {
  const Case& c = info.param;
  std::string name = c.policy + "_" + c.arrangement + "_" + std::to_string(c.threads) +
                     "_threads_" + (c.every_cpu ? "every_cpu" : "one_cpu");
  for (char& letter : name) {
    if (!std::isalnum(static_cast<unsigned char>(letter))) letter = '_';
  }
  return name;
}

std::vector<Case> cases() {
  std::vector<Case> list;
  for (const char* policy : {"check-interval:100", "switch-interval:5ms", "none"}) {
    for (const char* arrangement : {"sequential", "threaded"}) {
      for (int threads : {2, 8}) {
        for (bool every_cpu : {false, true}) {
          list.push_back({policy, arrangement, threads, every_cpu});
        }
      }
    }
  }
  return list;
}

uint64_t apart(uint64_t a, uint64_t b) {
  return a > b ? a - b : b - a;
}

// A switch between a thread's look at its accounts and its entering or leaving stands on one side
// only; the thread counts these as slack, and nothing else may be different.
void expect_same_switches(const Thread& thread) {
  const ThreadTrace& trace = *thread.trace;
  const ThreadUsage& usage = *thread.usage;
  EXPECT_LE(apart(trace.voluntary_switches, usage.voluntary_switches), usage.slack_switches)
      << trace.voluntary_switches << " traced, getrusage " << usage.voluntary_switches;
  EXPECT_LE(apart(trace.involuntary_switches, usage.involuntary_switches), usage.slack_switches)
      << trace.involuntary_switches << " traced, getrusage " << usage.involuntary_switches;
  // Its last segment ended by leaving.
  EXPECT_EQ(trace.segments, trace.voluntary_switches + trace.involuntary_switches + 1);
}

// The thread's clock and the segments differ by nature where the box is busy. The clock leaves out
// what the hypervisor took, which a segment, being wall time on a core, contains. And it charges a
// switch late or early: where a wakeup has told the kernel that the core will switch at once, the
// next switch takes place on the time of that wakeup (rq_clock_skip_update, kernel/sched/core.c),
// and if the core was in a system call until then, up to a tick goes from one thread's account to
// the next one's. perf_test.cpp holds the segments against switch times, which have no such error.
bool same_cpu_time(const Thread& thread) {
  return apart(thread.trace->on_cpu_ns, thread.usage->cpu_ns) <=
         std::max<uint64_t>(thread.usage->cpu_ns / 100, 100'000);
}

class Accounts : public KernelTest, public ::testing::WithParamInterface<Case> {
 protected:
  void SetUp() override { load({.max_threads = 9}); }

  // A run in which each thread's counts and records agree with its accounts.
  std::optional<gilscope::Run> counted(const Cell& cell) {
    struct Sum {
      uint64_t records = 0, on_cpu_ns = 0;
    };
    std::map<uint32_t, Sum> sums;
    auto add = [&](std::span<const gilscope_segment> segments) {
      for (const gilscope_segment& segment : segments) {
        sums[segment.thread].records += 1;
        sums[segment.thread].on_cpu_ns += segment.end_ns - segment.run_ns;
      }
      return Status();
    };
    auto run = this->run(cell, {.traced = true, .sink = add});
    if (!run || run->status != "done") return std::nullopt;
    EXPECT_EQ(run->lost->segments, 0u);
    EXPECT_EQ(sums.size(), run->threads.size());
    for (uint32_t slot = 0; slot < run->threads.size(); ++slot) {
      const Thread& thread = run->threads[slot];
      SCOPED_TRACE(thread.name);
      if (!thread.usage || !thread.trace) {
        ADD_FAILURE() << "not traced to its end";
        return std::nullopt;
      }
      expect_same_switches(thread);
      EXPECT_EQ(sums[slot].records, thread.trace->segments);
      EXPECT_EQ(sums[slot].on_cpu_ns, thread.trace->on_cpu_ns);
    }
    return run;
  }
};

TEST_P(Accounts, AreTheKernelsOwn) {
  const Case& c = GetParam();
  std::vector<int> cpus = all_cpus();
  if (!c.every_cpu) cpus.resize(1);
  Cell cell = make_cell(c.policy, "count:n=1M", c.threads, cpus, c.arrangement);

  // The counts must agree every time, the times of most threads in one of three runs.
  std::string times;
  for (int attempt = 0; attempt < 3; ++attempt) {
    auto run = counted(cell);
    ASSERT_TRUE(run);
    size_t without_slack = 0, same = 0;
    for (const Thread& thread : run->threads) {
      without_slack += thread.usage->slack_switches == 0;
      same += same_cpu_time(thread);
      times += fmt::format("{}: on the CPU {} ns, by its clock {} ns\n", thread.name,
                           thread.trace->on_cpu_ns, thread.usage->cpu_ns);
    }
    // Else the slack would hide what it is there to let through.
    EXPECT_GT(2 * without_slack, run->threads.size());
    if (HasFailure() || 2 * same > run->threads.size()) return;
  }
  ADD_FAILURE() << times;
}

INSTANTIATE_TEST_SUITE_P(Kernel, Accounts, ::testing::ValuesIn(cases()), name_of);

}  // namespace
}  // namespace gilscope
