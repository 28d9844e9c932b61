// The tracer's counts equal the threads' own: under every policy, arrangement, program variant and
// CPU count, and with a buffer that is far too small.
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include "tests/every_policy.h"
#include "tests/kernel/exact.h"
#include "tests/kernel/kernel_test.h"

namespace gilscope {
namespace {

struct Case {
  std::string policy, arrangement;
  int threads;
  bool every_cpu, raw_programs;
};

std::string name_of(const ::testing::TestParamInfo<Case>& info) {
  const Case& c = info.param;
  return name_of_test(c.policy + "_" + c.arrangement + "_" + std::to_string(c.threads) +
                      "_threads_" + (c.every_cpu ? "every_cpu" : "one_cpu") +
                      (c.raw_programs ? "_raw" : ""));
}

std::vector<Case> cases() {
  // CPython's own and none in every arrangement, the others in the one that is hardest on them.
  const std::vector<std::string> everywhere = {
      "check-interval:100",  "check-interval:100,lock=condvar",   "check-interval:100,yield",
      "switch-interval:5ms", "switch-interval:100us,flag=thread", "none"};
  std::vector<Case> list;
  for (const std::string& policy : everywhere) {
    for (bool every_cpu : {false, true}) {
      list.push_back({policy, "threaded", 2, every_cpu, false});
      list.push_back({policy, "threaded", 8, every_cpu, false});
    }
    list.push_back({policy, "sequential", 2, true, false});
    list.push_back({policy, "threaded", 2, true, true});
  }
  for (const std::string& policy : every_policy({.opcodes = 1000, .ns = 5'000'000})) {
    const bool listed = std::ranges::any_of(everywhere, [&](const std::string& other) {
      return &descriptor_of(other) == &descriptor_of(policy);
    });
    if (!listed) list.push_back({policy, "threaded", 8, true, false});
  }
  return list;
}

class Exactness : public KernelTest, public ::testing::WithParamInterface<Case> {};

TEST_P(Exactness, CpusAndThreadsAgree) {
  const Case& c = GetParam();
  load({.max_threads = 9, .records_bytes = 16 << 20, .raw_programs = c.raw_programs});
  std::vector<int> cpus = all_cpus();
  if (!c.every_cpu) cpus.resize(1);
  auto traced =
      run(make_cell(c.policy, "count:n=500k", c.threads, cpus, c.arrangement), {.traced = true});
  ASSERT_TRUE(traced);
  expect_exact(*traced);
  EXPECT_EQ(traced->lost->segments, 0u) << "the buffers were large enough";
  EXPECT_GT(traced->gil.acquires, 0u);
  const FailureMeanings& can = descriptor_of(c.policy).failures;
  EXPECT_TRUE(!can.contended.empty() || traced->gil.failed() == 0) << traced->gil.failed();
  EXPECT_TRUE(!can.woken_lost.empty() || traced->gil.woken_lost == 0) << traced->gil.woken_lost;
  EXPECT_TRUE(!can.timed_out.empty() || traced->gil.timed_out == 0) << traced->gil.timed_out;
}

INSTANTIATE_TEST_SUITE_P(EveryPolicy, Exactness, ::testing::ValuesIn(cases()), name_of);

class RecordBuffers : public KernelTest {};

TEST_F(RecordBuffers, TooSmallDropsRecordsAndNeverCounts) {
  load({.max_threads = 9, .records_bytes = 4096});
  uint64_t received = 0;
  // Threads that cannot keep the GIL for long, so that there are many more segments than room.
  auto traced = run(make_cell("check-interval:100,yield", "count:n=500k", 8, all_cpus()),
                    {.traced = true, .sink = [&](std::span<const gilscope_segment> segments) {
                       received += segments.size();
                       usleep(1000);  // a slow reader as well
                       return Status();
                     }});
  ASSERT_TRUE(traced);
  expect_exact(*traced);
  EXPECT_GT(traced->lost->segments, 0u);
  EXPECT_EQ(received, traced->segment_records);
}

TEST_F(RecordBuffers, CountersAloneWriteNoRecords) {
  load({.max_threads = 3, .records = false});
  auto traced =
      run(make_cell("check-interval:100", "count:n=500k", 2, all_cpus()), {.traced = true});
  ASSERT_TRUE(traced);
  EXPECT_EQ(traced->segment_records, 0u);
  uint64_t acquires = 0, segments = 0;
  for (const CpuTrace& cpu : traced->cpus) {
    acquires += cpu.acquires.value_or(0);
    segments += cpu.segments;
  }
  EXPECT_EQ(acquires, traced->gil.acquires);
  EXPECT_GT(segments, 0u);
}

class Records : public KernelTest {};

// The counters are the authority; the records must agree with them.
TEST_F(Records, AddUpToTheCounters) {
  load({.max_threads = 9, .records_bytes = 64 << 20});
  std::vector<gilscope_segment> segments;
  auto traced = run(make_cell("check-interval:100", "count:n=1M", 8, all_cpus()),
                    {.traced = true, .sink = [&](std::span<const gilscope_segment> some) {
                       segments.insert(segments.end(), some.begin(), some.end());
                       return Status();
                     }});
  ASSERT_TRUE(traced);
  expect_exact(*traced);
  ASSERT_EQ(traced->lost->segments, 0u);

  std::map<int, CpuTrace> cpus;
  std::map<uint32_t, const gilscope_segment*> last;  // by thread
  for (const gilscope_segment& s : segments) {
    CpuTrace& cpu = cpus[s.cpu];
    cpu.segments += 1;
    cpu.on_cpu_ns += s.end_ns - s.run_ns;
    cpu.acquires = cpu.acquires.value_or(0) + s.acquires;
    cpu.failed.contended += s.contended;
    cpu.failed.woken_lost += s.woken_lost;
    cpu.wakeups.ran += s.began == GILSCOPE_BEGAN_WOKEN;
    cpu.wasted_wakeups +=
        s.began == GILSCOPE_BEGAN_WOKEN && s.ended == GILSCOPE_ENDED_BLOCKED_GIL && s.acquires == 0;
    cpu.holder_preempted += s.ended == GILSCOPE_ENDED_PREEMPTED && s.gil_state == GILSCOPE_HOLDING;
    EXPECT_LE(s.run_ns, s.end_ns);
    EXPECT_LE(s.ready_ns, s.run_ns);
    if (const gilscope_segment* before = last[s.thread]) {
      EXPECT_LE(before->end_ns, s.run_ns) << "segments of one thread do not overlap";
      EXPECT_EQ(before->cpu, s.previous_cpu);
      int migrated = before->cpu != s.cpu;
      cpu.migrations.wakeup += migrated && s.began == GILSCOPE_BEGAN_WOKEN;
      cpu.migrations.preempt += migrated && s.began == GILSCOPE_BEGAN_PREEMPTED;
    } else {
      EXPECT_EQ(s.began, GILSCOPE_BEGAN_ENTERED);
    }
    last[s.thread] = &s;
  }
  for (const CpuTrace& counted : traced->cpus) {
    const CpuTrace& cpu = cpus[counted.cpu];
    EXPECT_EQ(cpu.segments, counted.segments);
    EXPECT_EQ(cpu.on_cpu_ns, counted.on_cpu_ns);
    EXPECT_EQ(cpu.acquires, counted.acquires);
    EXPECT_EQ(cpu.failed, counted.failed);
    EXPECT_EQ(cpu.wakeups.ran, counted.wakeups.ran);
    EXPECT_EQ(cpu.wasted_wakeups, counted.wasted_wakeups);
    EXPECT_EQ(cpu.holder_preempted, counted.holder_preempted);
    EXPECT_EQ(cpu.migrations.wakeup, counted.migrations.wakeup);
    EXPECT_EQ(cpu.migrations.preempt, counted.migrations.preempt);
  }
}

class Threads : public KernelTest {};

std::set<std::string> names_of_threads(pid_t pid) {
  std::set<std::string> names;
  std::error_code error;
  std::filesystem::directory_iterator task(fmt::format("/proc/{}/task", pid), error);
  for (; !error && task != std::filesystem::directory_iterator(); task.increment(error)) {
    std::string name;
    std::getline(std::ifstream(task->path() / "comm"), name);
    names.insert(name);
  }
  return names;
}

TEST_F(Threads, FiveHundredAndTwelve) {
  load({.max_threads = 513});
  auto traced =
      run(make_cell("check-interval:100", "count:n=2k", 512, all_cpus()), {.traced = true});
  ASSERT_TRUE(traced);
  expect_exact(*traced);
  EXPECT_EQ(traced->threads.size(), 513u);
}

TEST_F(Threads, ThatLiveAMillisecond) {
  load({.max_threads = 65});
  // About 30 000 iterations of some 30 ns; each thread starts when the previous one has ended.
  auto traced = run(make_cell("switch-interval:5ms", "count:n=30k", 64, all_cpus(), "sequential"),
                    {.traced = true});
  ASSERT_TRUE(traced);
  expect_exact(*traced);
  for (const Thread& thread : traced->threads) EXPECT_GT(thread.trace->on_cpu_ns, 0u);
}

TEST_F(Threads, ThatDieWithMainAreCountedToTheirDeath) {
  load({.max_threads = 9});
  Cell cell = make_cell("check-interval:100", "count:n=10G,seconds=200ms", 8, all_cpus());
  cell.main_exit = "kill";
  auto traced = run(cell, {.traced = true});
  ASSERT_TRUE(traced);
  FailedCounts failed;
  uint64_t acquires = 0;
  for (const CpuTrace& cpu : traced->cpus) {
    failed.contended += cpu.failed.contended;
    failed.woken_lost += cpu.failed.woken_lost;
    acquires += cpu.acquires.value_or(0);
    EXPECT_EQ(cpu.on_cpu_ns + *cpu.foreign_ns + *cpu.idle_ns + *cpu.harness_ns, *traced->window_ns);
  }
  EXPECT_EQ(failed, (FailedCounts{traced->gil.contended, traced->gil.woken_lost, 0}));
  EXPECT_EQ(acquires, traced->gil.acquires);
  for (size_t i = 1; i < traced->threads.size(); ++i) {
    EXPECT_EQ(traced->threads[i].ended, "killed");
    EXPECT_FALSE(traced->threads[i].operations);
    EXPECT_EQ(traced->threads[i].trace->gil, traced->threads[i].gil);
  }
}

TEST_F(Threads, HaveTheirNamesInTheKernel) {
  load({.max_threads = 3});
  std::set<std::string> names;
  // The worker starts as a copy of this process; its threads take their names as they start.
  const auto look = [&](pid_t pid) {
    for (int tries = 0; tries < 5000 && names.size() < 2; ++tries) {
      names = names_of_threads(pid);
      std::erase_if(names, [](const std::string& name) { return !name.starts_with("Thread-"); });
      usleep(1000);
    }
  };
  Cell cell = make_cell("switch-interval:5ms", "count:n=5M", 2, all_cpus());
  auto traced = run(cell, {.traced = true, .on_started = look});
  ASSERT_TRUE(traced);
  ASSERT_EQ(traced->threads.size(), 3u);
  EXPECT_EQ(names, (std::set<std::string>{traced->threads[1].name, traced->threads[2].name}));
}

}  // namespace
}  // namespace gilscope
