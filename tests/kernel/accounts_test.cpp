// The tracer's account of each thread against the kernel's own accounts, which are kept elsewhere
// and without BPF: getrusage(RUSAGE_THREAD) and CLOCK_THREAD_CPUTIME_ID.
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

// A switch between a thread's reading of its accounts and its entering or leaving appears on one
// side only. The thread counts such switches as slack; nothing else may differ.
void expect_same_switches(const Thread& thread) {
  const ThreadTrace& trace = *thread.trace;
  const ThreadUsage& usage = *thread.usage;
  EXPECT_LE(apart(trace.voluntary_switches, usage.voluntary_switches), usage.slack_switches)
      << trace.voluntary_switches << " traced, getrusage " << usage.voluntary_switches;
  EXPECT_LE(apart(trace.involuntary_switches, usage.involuntary_switches), usage.slack_switches)
      << trace.involuntary_switches << " traced, getrusage " << usage.involuntary_switches;
  // Leaving ended its last segment.
  EXPECT_EQ(trace.segments, trace.voluntary_switches + trace.involuntary_switches + 1);
}

// The sums of one thread's records.
struct Sum {
  uint64_t records = 0, on_cpu_ns = 0;
  uint64_t waited_ns = 0;  // ready to run but not yet running
};

uint64_t tolerance_ns(const Thread& thread) {
  return std::max<uint64_t>(thread.usage->cpu_ns / 100, 100'000);
}

// If the two differ by more, the kernel's clock left something out or added something. It leaves
// out steal time, which a segment, being wall time on a CPU, contains; the tracer reports it as
// stolen. It adds time before the thread arrived: after a wakeup that requests a reschedule, the
// kernel skips the next clock update and switches on the time of that wakeup (rq_clock_skip_update,
// kernel/sched/core.c). That is microseconds for each wakeup of an idle CPU, and up to a tick if
// the CPU is in a system call. The thread was ready by then, so the added time cannot exceed its
// wait. perf_test.cpp compares the segments with switch times, which have none of these errors.
bool same_time(const Thread& thread, uint64_t waited_ns) {
  const ThreadTrace& trace = *thread.trace;
  const ThreadUsage& usage = *thread.usage;
  return trace.on_cpu_ns <= usage.cpu_ns + trace.stolen_ns + tolerance_ns(thread) &&
         usage.cpu_ns <= trace.on_cpu_ns + waited_ns + tolerance_ns(thread);
}

class Accounts : public KernelTest, public ::testing::WithParamInterface<Case> {
 protected:
  void SetUp() override { load({.max_threads = 9}); }

  // Runs the cell; its counts and records agree, thread by thread, with the accounts.
  bool count(const Cell& cell) {
    sums_.clear();
    auto add = [&](std::span<const gilscope_segment> segments) {
      for (const gilscope_segment& segment : segments) {
        Sum& sum = sums_[segment.thread];
        sum.records += 1;
        sum.on_cpu_ns += segment.end_ns - segment.run_ns;
        if (segment.began != GILSCOPE_BEGAN_ENTERED && segment.run_ns > segment.ready_ns) {
          sum.waited_ns += segment.run_ns - segment.ready_ns;
        }
      }
      return Status();
    };
    auto run = this->run(cell, {.traced = true, .sink = add});
    if (!run || run->status != "done") return false;
    threads_ = std::move(run->threads);
    EXPECT_EQ(run->lost->segments, 0u);
    EXPECT_EQ(sums_.size(), threads_.size());
    for (uint32_t slot = 0; slot < threads_.size(); ++slot) {
      const Thread& thread = threads_[slot];
      SCOPED_TRACE(thread.name);
      if (!thread.usage || !thread.trace) {
        ADD_FAILURE() << "not traced to its end";
        return false;
      }
      expect_same_switches(thread);
      EXPECT_EQ(sums_[slot].records, thread.trace->segments);
      EXPECT_EQ(sums_[slot].on_cpu_ns, thread.trace->on_cpu_ns);
    }
    return !HasFailure();
  }

  // Most of the threads that seldom slept have no time added.
  bool times_agree() {
    size_t seldom = 0, same = 0;
    for (uint32_t slot = 0; slot < threads_.size(); ++slot) {
      const Thread& thread = threads_[slot];
      if (!same_time(thread, sums_[slot].waited_ns)) return false;
      if (thread.usage->voluntary_switches > 100) continue;
      seldom += 1;
      same += same_time(thread, 0);
    }
    return 2 * same >= seldom;
  }

  // Without such a thread the slack would hide every error. A busy machine gives most threads some
  // slack.
  bool some_without_slack() const {
    return std::ranges::any_of(
        threads_, [](const Thread& thread) { return thread.usage->slack_switches == 0; });
  }

  std::string times() {
    std::string text;
    for (uint32_t slot = 0; slot < threads_.size(); ++slot) {
      const Thread& thread = threads_[slot];
      text += fmt::format(
          "{}: on a CPU {} ns, by its clock {} ns; stolen {} ns, waited {} ns; slack {}\n",
          thread.name, thread.trace->on_cpu_ns, thread.usage->cpu_ns, thread.trace->stolen_ns,
          sums_[slot].waited_ns, thread.usage->slack_switches);
    }
    return text;
  }

 private:
  std::vector<Thread> threads_;
  std::map<uint32_t, Sum> sums_;
};

TEST_P(Accounts, AreTheKernelsOwn) {
  const Case& c = GetParam();
  std::vector<int> cpus = all_cpus();
  if (!c.every_cpu) cpus.resize(1);
  Cell cell = make_cell(c.policy, "count:n=1M", c.threads, cpus, c.arrangement);
  // The counts must agree every time; the times, in one of three runs, because others use the
  // machine.
  std::string times;
  for (int attempt = 0; attempt < 3; ++attempt) {
    ASSERT_TRUE(count(cell));
    if (on_emulated_cpus()) return;  // their times mean nothing
    if (times_agree() && some_without_slack()) return;
    times += this->times();
  }
  ADD_FAILURE() << times;
}

INSTANTIATE_TEST_SUITE_P(Kernel, Accounts, ::testing::ValuesIn(cases()), name_of);

}  // namespace
}  // namespace gilscope
