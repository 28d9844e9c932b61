// The Perfetto trace of runs with synthetic segments, read back by the tests' own reader and by
// protoc.
#include <gmock/gmock.h>

#include <random>

#include "tests/perfetto/reader.h"
#include "tests/unit/exported.h"

namespace gilscope {
namespace {

using perfetto_test::Event;
using perfetto_test::Span;
using perfetto_test::Switch;
using perfetto_test::Trace;
using perfetto_test::Waking;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::UnorderedElementsAre;

constexpr int64_t kRunning = 0, kSleeping = 1, kDead = 16, kPreempted = 256;
constexpr uint32_t kStranger = 77;  // a thread id that does not belong to the run

// Two threads on two CPUs: the GIL goes from the first to the second, which has requested it, and
// back.
std::vector<gilscope_segment> story() {
  return {
      // ready, run, end, thread, waker, cpu, previous, waker's, placed, began, ended, state, 0,
      // acquires, contended, woken_lost, timed_out, drop_requests
      {0, 1000, 1500, 1, 0, 1, kNoCpu, kNoCpu, kNoCpu, GILSCOPE_BEGAN_ENTERED,
       GILSCOPE_ENDED_BLOCKED_GIL, GILSCOPE_WAITING, 0, 0, 1, 0, 0, 0},
      {3000, 3100, 3200, 1, kStranger, 1, 1, 1, 1, GILSCOPE_BEGAN_WOKEN, GILSCOPE_ENDED_BLOCKED_GIL,
       GILSCOPE_WAITING, 0, 0, 0, 0, 1, 2},
      {0, 1000, 5000, 0, 0, 0, kNoCpu, kNoCpu, kNoCpu, GILSCOPE_BEGAN_ENTERED,
       GILSCOPE_ENDED_PREEMPTED, GILSCOPE_HOLDING, 0, 1, 0, 0, 0, 0},
      {5000, 6000, 8000, 0, 0, 0, 0, kNoCpu, kNoCpu, GILSCOPE_BEGAN_PREEMPTED,
       GILSCOPE_ENDED_BLOCKED_GIL, GILSCOPE_WAITING, 0, 0, 1, 0, 0, 0},
      {7500, 8000, 9500, 1, 4000, 0, 1, 0, 0, GILSCOPE_BEGAN_WOKEN, GILSCOPE_ENDED_LEFT,
       GILSCOPE_OUTSIDE, 0, 1, 0, 1, 0, 0},
      {9000, 9200, 10000, 0, 4001, 1, 0, 0, 1, GILSCOPE_BEGAN_WOKEN, GILSCOPE_ENDED_LEFT,
       GILSCOPE_OUTSIDE, 0, 1, 0, 0, 0, 0},
  };
}

std::vector<Thread> two_threads() {
  return {traced_thread("main", 4000, 1000), traced_thread("Thread-1", 4001, 1000)};
}

std::vector<std::tuple<uint64_t, int64_t>> values(const perfetto_test::Track& track) {
  std::vector<std::tuple<uint64_t, int64_t>> values;
  for (const Event& event : track.events) values.emplace_back(event.ns, event.value);
  return values;
}

std::vector<std::pair<std::string, uint64_t>> marks(const perfetto_test::Track& track) {
  std::vector<std::pair<std::string, uint64_t>> marks;
  for (const Event& event : track.events) {
    if (event.type == Event::Type::mark) marks.emplace_back(event.name, event.ns);
  }
  return marks;
}

const Event* mark(const perfetto_test::Track& track, const std::string& name) {
  for (const Event& event : track.events) {
    if (event.name == name) return &event;
  }
  return nullptr;
}

class ExportPerfetto : public Exported {
 protected:
  Trace exported(const std::vector<std::string>& more = {}) {
    std::vector<std::string> arguments = {"--format", "perfetto"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    exports(arguments);
    return Trace::read(output());
  }
};

TEST_F(ExportPerfetto, TellsWhatTheSchedulerDid) {
  add_run(two_threads(), story());
  const Trace trace = exported();
  trace.expect_rules(1000, 10000);
  ASSERT_EQ(trace.cpus.size(), 2u);
  // 4000 gives way to 4001 at 8000: one switch.
  EXPECT_THAT(
      trace.cpus.at(0).switches,
      ElementsAre(Switch{1000, kRunning, 0, "swapper"}, Switch{1000, kRunning, 4000, "main"},
                  Switch{5000, kPreempted, 0, "swapper"}, Switch{6000, kRunning, 4000, "main"},
                  Switch{8000, kSleeping, 4001, "Thread-1"}, Switch{9500, kDead, 0, "swapper"}));
  EXPECT_THAT(
      trace.cpus.at(1).switches,
      ElementsAre(Switch{1000, kRunning, 0, "swapper"}, Switch{1000, kRunning, 4001, "Thread-1"},
                  Switch{1500, kSleeping, 0, "swapper"}, Switch{3100, kRunning, 4001, "Thread-1"},
                  Switch{3200, kSleeping, 0, "swapper"}, Switch{9200, kRunning, 4000, "main"},
                  Switch{10000, kDead, 0, "swapper"}));
  EXPECT_THAT(trace.cpus.at(0).wakings,
              ElementsAre(Waking{7500, 4001, 0, "Thread-1"}, Waking{9000, 4000, 1, "main"}));
  EXPECT_THAT(trace.cpus.at(1).wakings, ElementsAre(Waking{3000, 4001, 1, "Thread-1"}));
  EXPECT_EQ(trace.slices().size(), story().size());
  EXPECT_EQ(trace.migrations(), 2u);
  EXPECT_EQ(trace.kernel_release, "6.18.4");
  EXPECT_EQ(trace.cpus.at(0).lossy_bundles, 0u);
}

TEST_F(ExportPerfetto, TellsWhoHadTheGil) {
  add_run(two_threads(), story());
  const Trace trace = exported();
  EXPECT_THAT(Trace::spans(trace.track("GIL owner")),
              ElementsAre(Span{"main", 1000, 8000}, Span{"Thread-1", 8000, 9200},
                          Span{"main", 9200, 10000}));
  const auto &main = trace.track("main"), &other = trace.track("Thread-1");
  EXPECT_THAT(Trace::spans(main),
              ElementsAre(Span{"holding", 1000, 8000}, Span{"waiting for the GIL", 8000, 9200},
                          Span{"holding", 9200, 10000}));
  EXPECT_THAT(Trace::spans(other),
              ElementsAre(Span{"waiting for the GIL", 1500, 8000}, Span{"holding", 8000, 9500}));
  EXPECT_THAT(marks(main), UnorderedElementsAre(Pair("released", 7500), Pair("acquired", 9200)));
  EXPECT_THAT(marks(other),
              UnorderedElementsAre(Pair("wasted wakeup", 3200), Pair("drop request", 3200),
                                   Pair("acquired", 8000), Pair("forced switch", 8000),
                                   Pair("released", 9000)));
  EXPECT_THAT(mark(other, "drop request")->notes, ElementsAre(Pair("requests", 2)));
  EXPECT_THAT(mark(other, "forced switch")->notes, ElementsAre(Pair("requests", 2)));
  EXPECT_THAT(mark(other, "acquired")->notes,
              ElementsAre(Pair("latency_ns", 500), Pair("waiters", 2)));
  EXPECT_EQ(mark(main, "released")->flows, mark(other, "acquired")->ended_flows);
  EXPECT_EQ(mark(other, "released")->flows, mark(main, "acquired")->ended_flows);
  EXPECT_NE(mark(other, "released")->flows, mark(main, "released")->flows);
}

TEST_F(ExportPerfetto, ForcesASwitchOnlyWhereTheTakerAskedSinceItLastHadTheGil) {
  const auto takes = [](uint32_t thread, uint64_t run_ns, uint8_t ended) {
    return gilscope_segment{
        run_ns - 100,         run_ns, run_ns + 100,     thread, kStranger, 0, 0, 0, 0,
        GILSCOPE_BEGAN_WOKEN, ended,  GILSCOPE_OUTSIDE, 0,      1,         0, 0, 0, 0};
  };
  add_run(two_threads(), {{0, 1000, 1500, 1, 0, 1, kNoCpu, kNoCpu, kNoCpu, GILSCOPE_BEGAN_ENTERED,
                           GILSCOPE_ENDED_BLOCKED_GIL, GILSCOPE_WAITING, 0, 0, 1, 0, 0, 1},
                          {0, 1000, 1800, 0, 0, 0, kNoCpu, kNoCpu, kNoCpu, GILSCOPE_BEGAN_ENTERED,
                           GILSCOPE_ENDED_BLOCKED, GILSCOPE_OUTSIDE, 0, 1, 0, 0, 0, 0},
                          takes(1, 2000, GILSCOPE_ENDED_BLOCKED),
                          takes(0, 3000, GILSCOPE_ENDED_LEFT),
                          takes(1, 4000, GILSCOPE_ENDED_LEFT)});
  const Trace trace = exported();
  trace.expect_rules(1000, 4100);
  EXPECT_THAT(marks(trace.track("Thread-1")),
              UnorderedElementsAre(Pair("drop request", 1500), Pair("acquired", 2000),
                                   Pair("forced switch", 2000), Pair("acquired", 4000)));
  // A stranger woke them, so the release time of the GIL is unknown, and no arrow is drawn.
  EXPECT_EQ(trace.marks("released"), 0u);
  EXPECT_EQ(mark(trace.track("main"), "acquired")->ended_flows.size(), 0u);
}

TEST_F(ExportPerfetto, Counts) {
  add_run(two_threads(), story());
  const Trace trace = exported();
  EXPECT_THAT(values(trace.track("waiters")),
              ElementsAre(std::tuple(1000, 0), std::tuple(1500, 1), std::tuple(8000, 2),
                          std::tuple(8000, 1), std::tuple(9200, 0)));
  const auto last = [&](const std::string& kind, int cpu) {
    const auto all = values(trace.track(fmt::format("failed acquisitions, {}, CPU {}", kind, cpu)));
    return all.empty() ? -1 : std::get<1>(all.back());
  };
  EXPECT_EQ(last("contended", 0), 1);
  EXPECT_EQ(last("contended", 1), 1);
  EXPECT_EQ(last("woken_lost", 0), 1);
  EXPECT_EQ(last("woken_lost", 1), 0);
  EXPECT_EQ(last("timed_out", 0), 0);
  EXPECT_EQ(last("timed_out", 1), 1);
}

TEST_F(ExportPerfetto, DecodesWithThePublicFieldNumbers) {
  add_run(two_threads(), story()).lost->segments = 3;
  exports({"--format", "perfetto"});
  perfetto_test::expect_protoc_decodes(output());
}

TEST_F(ExportPerfetto, HasNoOwnerWhereThereIsNoSingleLock) {
  for (const char* policy : {"none", "sharded:16"}) {
    report_.cells[0].policy = policy;
    report_.cells[0].runs.clear();
    add_run(two_threads(), story());
    const Trace trace = exported();
    trace.expect_rules(1000, 10000);
    EXPECT_THAT(trace.named("GIL owner"), IsEmpty());
    EXPECT_EQ(trace.marks("acquired") + trace.marks("released") + trace.marks("forced switch"), 0u);
    EXPECT_FALSE(Trace::spans(trace.track("main")).empty());
  }
}

TEST_F(ExportPerfetto, PutsEveryRunBelowAProcessOfItsOwn) {
  std::vector<gilscope_segment> later = story();
  for (gilscope_segment& segment : later) {
    segment.run_ns += 100'000, segment.end_ns += 100'000;
    if (segment.ready_ns) segment.ready_ns += 100'000;
  }
  // The report's order is not that of time.
  add_run({traced_thread("main", 5000, 101'000), traced_thread("Thread-1", 5001, 101'000)}, later);
  add_cell("switch-interval:5ms");
  add_run(two_threads(), story());
  Trace trace = exported();
  trace.expect_rules(1000, 110'000);
  ASSERT_EQ(trace.processes().size(), 2u);
  EXPECT_EQ(trace.slices().size(), 2 * story().size());
  const auto named = [&](size_t process) { return trace.tracks.at(trace.processes()[process]); };
  EXPECT_THAT(named(0).name,
              testing::StrEq(
                  "cell 1 block 0: switch-interval:5ms count:n=1M threaded, 2 threads on 2 CPUs"));
  EXPECT_EQ(named(0).pid, 4000);
  EXPECT_THAT(named(1).name, HasSubstr("cell 0 block 0: check-interval:100"));
  for (const uint64_t process : trace.processes()) {
    EXPECT_EQ(Trace::spans(trace.track("GIL owner", process)).size(), 3u);
    EXPECT_EQ(trace.marks("wasted wakeup", process), 1u);
  }
  trace = exported({"--cell", "1"});
  ASSERT_EQ(trace.processes().size(), 1u);
  EXPECT_EQ(trace.slices().size(), story().size());
}

TEST_F(ExportPerfetto, SaysThatRecordsWereDropped) {
  auto& run = add_run(two_threads(), story());
  run.lost->segments = 12;
  run.cpus.resize(3);
  for (int cpu = 0; cpu < 3; ++cpu) run.cpus[size_t(cpu)].cpu = cpu;
  run.cpus[1].records_dropped = 5;
  run.cpus[2].records_dropped = 7;  // and none of its records is left
  const Trace trace = exported();
  EXPECT_EQ(trace.cpus.at(0).lossy_bundles, 0u);
  EXPECT_EQ(trace.cpus.at(1).lossy_bundles, trace.cpus.at(1).bundles);
  EXPECT_GT(trace.cpus.at(1).bundles, 0u);
  EXPECT_EQ(trace.cpus.at(2).lossy_bundles, 1u);
  const Event* printed =
      mark(trace.track("GIL"), "12 records were dropped: this timeline has holes");
  ASSERT_TRUE(printed);
  EXPECT_EQ(printed->ns, 1000u);
  EXPECT_THAT(printed->notes, ElementsAre(Pair("records_dropped", 12)));
  EXPECT_THAT(trace.tracks.at(trace.processes()[0]).name, HasSubstr("(12 records dropped)"));
  EXPECT_THAT(run_export({"--format", "perfetto"}).out, HasSubstr("12 records dropped"));
}

TEST_F(ExportPerfetto, CutsASegmentThatTheNextOfItsCpuOverlaps) {
  add_run(two_threads(), {{0, 1000, 5000, 0, 0, 0, kNoCpu, kNoCpu, kNoCpu, GILSCOPE_BEGAN_ENTERED,
                           GILSCOPE_ENDED_BLOCKED, GILSCOPE_OUTSIDE, 0, 0, 0, 0, 0, 0},
                          {0, 4990, 7000, 1, 0, 0, kNoCpu, kNoCpu, kNoCpu, GILSCOPE_BEGAN_ENTERED,
                           GILSCOPE_ENDED_LEFT, GILSCOPE_OUTSIDE, 0, 0, 0, 0, 0, 0}});
  const Trace trace = exported();
  trace.expect_rules(1000, 7000);
  EXPECT_THAT(
      trace.cpus.at(0).switches,
      ElementsAre(Switch{1000, kRunning, 0, "swapper"}, Switch{1000, kRunning, 4000, "main"},
                  Switch{4990, kSleeping, 4001, "Thread-1"}, Switch{7000, kDead, 0, "swapper"}));
}

TEST_F(ExportPerfetto, RefusesSegmentsOfAThreadThatTheReportDoesNotKnow) {
  add_run(two_threads(), story()).threads[1].trace.reset();
  const Outcome outcome = run_export({"--format", "perfetto"});
  EXPECT_EQ(outcome.exit, 3);
  EXPECT_THAT(outcome.err, HasSubstr("no thread id"));
  EXPECT_FALSE(std::filesystem::exists(output()));
}

// Threads that migrate among the CPUs, with enough segments for many bundles.
class Wanderers {
 public:
  Wanderers(size_t threads, uint16_t cpus) : free_at_(cpus, 1000), threads_(threads) {}

  std::vector<gilscope_segment> segments(size_t count) {
    std::vector<gilscope_segment> all;
    for (size_t i = 0; i < count; ++i) all.push_back(next(i + threads_.size() >= count));
    return all;
  }

  size_t wakeups = 0, migrations = 0, wasted = 0;
  uint64_t last_ns = 0;

 private:
  struct Wanderer {
    uint64_t end_ns = 1000;
    uint16_t cpu = kNoCpu;
    uint8_t ended = 0;
  };

  gilscope_segment next(bool last) {
    const auto thread = static_cast<uint32_t>(turn_++ % threads_.size());
    Wanderer& wanderer = threads_[thread];
    const auto cpu = static_cast<uint16_t>(random_() % free_at_.size());
    gilscope_segment s{};
    s.thread = thread;
    s.cpu = cpu;
    s.previous_cpu = wanderer.cpu;
    s.waker_cpu = s.placed_cpu = kNoCpu;
    s.run_ns = std::max<uint64_t>(free_at_[cpu], wanderer.end_ns) + random_() % 3;
    s.end_ns = s.run_ns + 1 + random_() % 50;
    if (wanderer.cpu != kNoCpu) {
      s.began = wanderer.ended ? GILSCOPE_BEGAN_WOKEN : GILSCOPE_BEGAN_PREEMPTED;
      s.ready_ns = wanderer.end_ns + (s.run_ns - wanderer.end_ns) / 2;
    }
    s.ended = static_cast<uint8_t>(last ? uint8_t{GILSCOPE_ENDED_LEFT} : random_() % 2);
    s.gil_state = s.ended ? GILSCOPE_WAITING : GILSCOPE_HOLDING;
    s.acquires = random_() % 2;
    if (s.began == GILSCOPE_BEGAN_WOKEN) {
      s.waker_cpu = static_cast<uint16_t>(random_() % free_at_.size());
      s.placed_cpu = cpu;
      s.waker_tid = 4000 + static_cast<uint32_t>(random_() % threads_.size());
      wakeups += 1;
    }
    migrations += wanderer.cpu != kNoCpu && wanderer.cpu != cpu;
    wasted +=
        s.began == GILSCOPE_BEGAN_WOKEN && s.ended == GILSCOPE_ENDED_BLOCKED_GIL && s.acquires == 0;
    free_at_[cpu] = s.end_ns;
    wanderer = {s.end_ns, cpu, s.ended};
    last_ns = std::max<uint64_t>(last_ns, s.end_ns);
    return s;
  }

  std::mt19937 random_{1};
  std::vector<uint64_t> free_at_;
  std::vector<Wanderer> threads_;
  size_t turn_ = 0;
};

TEST_F(ExportPerfetto, HasExactlyTheRunsSegments) {
  constexpr size_t kThreads = 9, kSegments = 25'000;
  Wanderers wanderers(kThreads, 5);
  const std::vector<gilscope_segment> segments = wanderers.segments(kSegments);
  std::vector<Thread> threads;
  for (uint32_t i = 0; i < kThreads; ++i) {
    threads.push_back(traced_thread(fmt::format("Thread-{}", i), 4000 + i, 1000));
  }
  auto& run = add_run(threads, segments);
  run.cpus.resize(1);
  run.cpus[0].cpu = 1, run.cpus[0].records_dropped = 1;
  const Trace trace = exported();
  trace.expect_rules(1000, wanderers.last_ns);
  EXPECT_GT(trace.cpus.at(0).bundles, 2u);
  EXPECT_EQ(trace.cpus.at(0).lossy_bundles, 0u);
  EXPECT_EQ(trace.cpus.at(1).lossy_bundles, trace.cpus.at(1).bundles);
  EXPECT_EQ(trace.wakings(), wanderers.wakeups);
  EXPECT_EQ(trace.migrations(), wanderers.migrations);
  EXPECT_EQ(trace.marks("wasted wakeup"), wanderers.wasted);
  EXPECT_GT(wanderers.wasted, 1000u);

  const auto slices = trace.slices();
  ASSERT_EQ(slices.size(), kSegments);
  std::vector<gilscope_segment> sorted = segments;
  std::ranges::stable_sort(sorted, {}, &gilscope_segment::thread);
  size_t wrong = 0;
  for (size_t i = 0; i < kSegments; ++i) {
    wrong += slices[i].from_ns != sorted[i].run_ns || slices[i].to_ns != sorted[i].end_ns ||
             slices[i].cpu != sorted[i].cpu ||
             slices[i].tid != static_cast<int32_t>(4000 + sorted[i].thread);
  }
  EXPECT_EQ(wrong, 0u);
}

}  // namespace
}  // namespace gilscope
