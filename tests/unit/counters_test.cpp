// From the counts of the BPF programs to those of the report.
#include "userspace/tracer/counters.h"

#include <gtest/gtest.h>

#include <memory>

#include "bpf/histogram.h"

namespace gilscope {
namespace {

constexpr uint64_t kOpen = 1000, kClose = 5000;

gilscope_window closed_window() {
  gilscope_window window = {};
  window.open_ns = kOpen;
  window.close_ns = kClose;
  return window;
}

// A CPU that `occupant` has run on since `since`, without being switched out.
gilscope_cpu cpu_with(gilscope_occupant occupant, uint64_t since) {
  gilscope_cpu per_cpu = {};
  per_cpu.occupant = occupant;
  per_cpu.since_ns = since;
  return per_cpu;
}

CpuTrace only(const gilscope_cpu& per_cpu, const gilscope_window& window = closed_window()) {
  const int cpu = 0;
  const std::vector<CpuTrace> cpus = cpus_of({&per_cpu, 1}, window, {&cpu, 1});
  EXPECT_EQ(cpus.size(), 1u);
  return cpus.at(0);
}

// --- histograms ---------------------------------------------------------------------------------

TEST(HistogramReport, HasOnlyBucketsWithACount) {
  gilscope_histogram counted = {};
  for (const uint64_t value : {3, 3, 1000, 70'000}) gilscope_histogram_add(&counted, value);
  const Histogram histogram = to_report(counted);
  EXPECT_EQ(histogram.max_ns, 70'000u);
  EXPECT_EQ(histogram.count(), 4u);
  ASSERT_EQ(histogram.buckets.size(), 3u);
  EXPECT_EQ(histogram.buckets[0].low_ns, 3u);
  EXPECT_EQ(histogram.buckets[0].high_ns, 4u);
  EXPECT_EQ(histogram.buckets[0].count, 2u);
  uint64_t before = 0;
  for (const auto& bucket : histogram.buckets) {
    EXPECT_LE(before, bucket.low_ns);
    EXPECT_LT(bucket.low_ns, bucket.high_ns);
    before = bucket.high_ns;
  }
  EXPECT_LE(histogram.buckets[1].low_ns, 1000u);
  EXPECT_GT(histogram.buckets[1].high_ns, 1000u);
}

TEST(HistogramReport, EndsTheLastBucketAfterTheLargest) {
  gilscope_histogram counted = {};
  constexpr uint64_t kHuge = uint64_t{1} << 63;
  gilscope_histogram_add(&counted, kHuge);
  Histogram histogram = to_report(counted);
  ASSERT_EQ(histogram.buckets.size(), 1u);
  EXPECT_EQ(histogram.buckets[0].low_ns, gilscope_bucket_low(GILSCOPE_BUCKETS - 1));
  EXPECT_EQ(histogram.buckets[0].high_ns, kHuge + 1);

  counted = {};
  gilscope_histogram_add(&counted, gilscope_bucket_low(GILSCOPE_BUCKETS - 1));
  histogram = to_report(counted);
  EXPECT_LT(histogram.buckets.at(0).low_ns, histogram.buckets.at(0).high_ns);
}

TEST(HistogramReport, IsEmptyWithoutSamples) {
  const Histogram histogram = to_report(gilscope_histogram{});
  EXPECT_TRUE(histogram.buckets.empty());
  EXPECT_EQ(histogram.max_ns, 0u);
}

TEST(HistogramReport, KeepsTheThreeApart) {
  auto counted = std::make_unique<gilscope_histograms>();
  gilscope_histogram_add(&counted->wake_to_run, 1);
  gilscope_histogram_add(&counted->preempt_wait, 2);
  gilscope_histogram_add(&counted->run, 3);
  const Histograms histograms = to_report(*counted);
  EXPECT_EQ(histograms.wake_to_run.max_ns, 1u);
  EXPECT_EQ(histograms.preempt_wait.max_ns, 2u);
  EXPECT_EQ(histograms.run.max_ns, 3u);
}

// --- a thread's own counts ----------------------------------------------------------------------

TEST(SlotReport, TakesEachCountWhereItBelongs) {
  gilscope_slot slot = {};
  slot.acquires = 1, slot.releases = 2, slot.contended = 3;
  slot.woken_lost = 4, slot.timed_out = 5, slot.drop_requests = 6;
  EXPECT_EQ(to_report(slot), (GilCounts{1, 2, 3, 4, 5, 6}));
}

// --- CPUs ---------------------------------------------------------------------------------------

TEST(CpuReport, KnowsNoTimesOfACpuThatItSawNoSwitchOn) {
  const CpuTrace per_cpu = only(cpu_with(GILSCOPE_UNKNOWN, 0));
  EXPECT_FALSE(per_cpu.observed);
  EXPECT_EQ(per_cpu.foreign_ns, std::nullopt);
  EXPECT_EQ(per_cpu.idle_ns, std::nullopt);
  EXPECT_EQ(per_cpu.harness_ns, std::nullopt);
}

TEST(CpuReport, AddsTheRestOfWhoeverIsStillThere) {
  struct Case {
    gilscope_occupant occupant;
    uint64_t foreign, idle, harness;
  };
  constexpr uint64_t kSince = 4000, kRest = kClose - kSince;
  for (const Case& expected :
       {Case{GILSCOPE_FOREIGN, 10 + kRest, 20, 30}, Case{GILSCOPE_IDLE, 10, 20 + kRest, 30},
        Case{GILSCOPE_HARNESS, 10, 20, 30 + kRest}, Case{GILSCOPE_THREAD, 10, 20, 30}}) {
    gilscope_cpu counted = cpu_with(expected.occupant, kSince);
    counted.foreign_ns = 10, counted.idle_ns = 20, counted.harness_ns = 30;
    const CpuTrace per_cpu = only(counted);
    EXPECT_TRUE(per_cpu.observed);
    EXPECT_EQ(per_cpu.foreign_ns, expected.foreign) << expected.occupant;
    EXPECT_EQ(per_cpu.idle_ns, expected.idle) << expected.occupant;
    EXPECT_EQ(per_cpu.harness_ns, expected.harness) << expected.occupant;
  }
}

TEST(CpuReport, AddsOnlyTheRestThatLiesInTheWindow) {
  EXPECT_EQ(only(cpu_with(GILSCOPE_IDLE, 200)).idle_ns, kClose - kOpen);
  EXPECT_EQ(only(cpu_with(GILSCOPE_IDLE, kClose)).idle_ns, 0u);
  EXPECT_EQ(only(cpu_with(GILSCOPE_IDLE, kClose + 700)).idle_ns, 0u);
  gilscope_window open = closed_window();
  open.close_ns = GILSCOPE_NEVER;  // the run was interrupted: the window has no end
  EXPECT_EQ(only(cpu_with(GILSCOPE_IDLE, 2000), open).idle_ns, 0u);
}

TEST(CpuReport, AddsWhatOtherCpusCountedOfIt) {
  gilscope_cpu counted = cpu_with(GILSCOPE_IDLE, kClose);
  counted.waker = 1, counted.remote.waker = 10;
  counted.previous = 2, counted.remote.previous = 20;
  counted.placed = 3, counted.remote.placed = 30;
  counted.ran = 4;
  counted.remote.migrations_raw_in = 50, counted.remote.migrations_raw_out = 60;
  const CpuTrace per_cpu = only(counted);
  EXPECT_EQ(per_cpu.wakeups.waker, 11u);
  EXPECT_EQ(per_cpu.wakeups.previous, 22u);
  EXPECT_EQ(per_cpu.wakeups.placed, 33u);
  EXPECT_EQ(per_cpu.wakeups.ran, 4u);
  EXPECT_EQ(per_cpu.migrations.raw_in, 50u);
  EXPECT_EQ(per_cpu.migrations.raw_out, 60u);
}

TEST(CpuReport, TakesEachCountWhereItBelongs) {
  gilscope_cpu counted = cpu_with(GILSCOPE_THREAD, kOpen);
  counted.segments = 1, counted.records_dropped = 2, counted.on_cpu_ns = 3;
  counted.migrations_wakeup = 4, counted.migrations_preempt = 5;
  counted.contended = 6, counted.woken_lost = 7, counted.timed_out = 8;
  counted.acquires = 9, counted.wasted_wakeups = 10, counted.holder_preempted = 11;
  counted.drop_requests = 13;
  gilscope_histogram_add(&counted.histograms.run, 12);
  const CpuTrace per_cpu = only(counted);
  EXPECT_EQ(per_cpu.cpu, 0);
  EXPECT_EQ(per_cpu.segments, 1u);
  EXPECT_EQ(per_cpu.records_dropped, 2u);
  EXPECT_EQ(per_cpu.on_cpu_ns, 3u);
  EXPECT_EQ(per_cpu.migrations.wakeup, 4u);
  EXPECT_EQ(per_cpu.migrations.preempt, 5u);
  EXPECT_EQ(per_cpu.failed, (FailedCounts{6, 7, 8}));
  EXPECT_EQ(per_cpu.acquires, 9u);
  EXPECT_EQ(per_cpu.wasted_wakeups, 10u);
  EXPECT_EQ(per_cpu.holder_preempted, 11u);
  EXPECT_EQ(per_cpu.drop_requests, 13u);
  EXPECT_EQ(per_cpu.histograms.run.max_ns, 12u);
}

std::vector<int> ids(const std::vector<CpuTrace>& cpus) {
  std::vector<int> result;
  for (const CpuTrace& per_cpu : cpus) result.push_back(per_cpu.cpu);
  return result;
}

TEST(CpuReport, LeavesOutCpusThatAreNoneOfTheRuns) {
  std::vector<gilscope_cpu> cpus(6, cpu_with(GILSCOPE_FOREIGN, kOpen));
  cpus[3].segments = 1;
  const std::vector<int> asked_for = {1, 4};
  EXPECT_EQ(ids(cpus_of(cpus, closed_window(), asked_for)), (std::vector<int>{1, 3, 4}));
  EXPECT_TRUE(cpus_of(cpus, closed_window(), {}).size() == 1);
  EXPECT_TRUE(cpus_of({}, closed_window(), asked_for).empty());
}

// A sum over the reported CPUs must not miss any event of the run's threads.
TEST(CpuReport, KeepsAnyCpuWithACountOfTheRuns) {
  std::vector<gilscope_cpu> cpus(8);
  cpus[0].segments = 1;
  cpus[1].waker = 1;
  cpus[2].ran = 1;
  cpus[3].remote.waker = 1;
  cpus[4].remote.previous = 1;
  cpus[5].remote.placed = 1;
  cpus[6].remote.migrations_raw_in = 1;
  cpus[7].remote.migrations_raw_out = 1;
  EXPECT_EQ(ids(cpus_of(cpus, closed_window(), {})), (std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7}));
}

// A real program's slot is made up, so a CPU knows no acquisitions; a model has nothing undecided.
TEST(CpuReport, OfARealProgramHasOtherNumbersThanAModels) {
  gilscope_cpu counted = cpu_with(GILSCOPE_THREAD, kOpen);
  counted.acquires = 1, counted.drop_requests = 2, counted.contended = 3;
  counted.undecided = 4, counted.mutex_sleeps = 5, counted.release_stalls = 6;
  counted.acquired_after_wait = 7;
  const int cpu = 0;
  const CpuTrace subject = cpus_of({&counted, 1}, closed_window(), {&cpu, 1}, true).front();
  EXPECT_EQ(subject.acquires, std::nullopt);
  EXPECT_EQ(subject.drop_requests, std::nullopt);
  EXPECT_EQ(subject.failed.contended, 3u);
  EXPECT_EQ(subject.failed.undecided, 4u);
  EXPECT_EQ(subject.failed.total(), 7u);
  EXPECT_EQ(subject.mutex_sleeps, 5u);
  EXPECT_EQ(subject.release_stalls, 6u);
  EXPECT_EQ(subject.acquired_after_wait, 7u);
  const CpuTrace model = only(counted);
  EXPECT_EQ(model.acquires, 1u);
  EXPECT_EQ(model.failed.undecided, std::nullopt);
  EXPECT_EQ(model.mutex_sleeps, std::nullopt);
}

// The fields that every switch of a model writes lie where they lay: those of real programs come
// behind.
TEST(CpuReport, OfARealProgramMovesNoNumberOfAModels) {
  EXPECT_LT(offsetof(gilscope_cpu, written), offsetof(gilscope_cpu, undecided));
  EXPECT_EQ(offsetof(gilscope_cpu, taken), 256u);
  EXPECT_LT(offsetof(gilscope_thread, holder_preempted), offsetof(gilscope_thread, undecided));
  EXPECT_EQ(offsetof(gilscope_thread, waking), 320u);
}

// --- threads ------------------------------------------------------------------------------------

TEST(ThreadReport, TakesEachCountWhereItBelongs) {
  gilscope_thread thread = {};
  thread.tid = 1;
  thread.entered_ns = 2, thread.left_ns = 3;
  thread.segments = 4, thread.on_cpu_ns = 5, thread.stolen_ns = 6;
  thread.voluntary_switches = 7, thread.involuntary_switches = 8;
  thread.wakeups = 9, thread.waking.raw_wakeups = 10, thread.waking.migrations_raw = 11;
  thread.migrations_wakeup = 12, thread.migrations_preempt = 13;
  thread.wasted_wakeups = 14, thread.holder_preempted = 15;
  thread.counted.acquires = 16;
  gilscope_histogram_add(&thread.histograms.wake_to_run, 17);
  const ThreadTrace trace = trace_of(thread);
  EXPECT_EQ(trace.tid, 1u);
  EXPECT_EQ(trace.entered_ns, 2u);
  EXPECT_EQ(trace.left_ns, 3u);
  EXPECT_EQ(trace.segments, 4u);
  EXPECT_EQ(trace.on_cpu_ns, 5u);
  EXPECT_EQ(trace.stolen_ns, 6u);
  EXPECT_EQ(trace.voluntary_switches, 7u);
  EXPECT_EQ(trace.involuntary_switches, 8u);
  EXPECT_EQ(trace.wakeups, 9u);
  EXPECT_EQ(trace.raw_wakeups, 10u);
  EXPECT_EQ(trace.migrations_raw, 11u);
  EXPECT_EQ(trace.migrations_wakeup, 12u);
  EXPECT_EQ(trace.migrations_preempt, 13u);
  EXPECT_EQ(trace.wasted_wakeups, 14u);
  EXPECT_EQ(trace.holder_preempted, 15u);
  EXPECT_EQ(trace.gil.acquires, 16u);
  EXPECT_EQ(trace.histograms.wake_to_run.max_ns, 17u);
}

TEST(ThreadReport, OfARealProgramHasOtherNumbersThanAModels) {
  gilscope_thread thread = {};
  thread.counted.acquires = 1, thread.counted.releases = 2, thread.counted.contended = 3;
  thread.counted.woken_lost = 4, thread.counted.timed_out = 5, thread.counted.drop_requests = 6;
  thread.undecided = 7, thread.mutex_sleeps = 8, thread.release_stalls = 9;
  thread.acquired_after_wait = 10;
  GilCounts expected = GilCounts::of_subject();
  expected.contended = 3, expected.woken_lost = 4, expected.timed_out = 5;
  expected.undecided = 7, expected.mutex_sleeps = 8, expected.release_stalls = 9;
  expected.acquired_after_wait = 10;
  EXPECT_EQ(trace_of(thread, true).gil, expected);
  EXPECT_EQ(trace_of(thread).gil, (GilCounts{1, 2, 3, 4, 5, 6}));
}

TEST(ThreadReport, ShowsNoNegativeStolenTime) {
  // The sum is kept in two's complement; small errors of clock readings can leave it below 0.
  gilscope_thread thread = {};
  thread.stolen_ns = static_cast<uint64_t>(int64_t{-300});
  EXPECT_EQ(trace_of(thread).stolen_ns, 0u);
  thread.stolen_ns = 300;
  EXPECT_EQ(trace_of(thread).stolen_ns, 300u);
}

// --- what was lost ------------------------------------------------------------------------------

TEST(LostReport, SumsOverCpus) {
  std::vector<gilscope_cpu> cpus(3);
  for (size_t i = 0; i < cpus.size(); ++i) {
    cpus[i].records_dropped = 1 + i, cpus[i].discarded = 10 + i, cpus[i].censored = 100 + i;
  }
  gilscope_window window = closed_window();
  window.started = 7;
  const Lost lost = lost_of(cpus, window);
  EXPECT_EQ(lost.segments, 1u + 2 + 3);
  EXPECT_EQ(lost.discarded, 10u + 11 + 12);
  EXPECT_EQ(lost.censored, 100u + 101 + 102);
  EXPECT_EQ(lost.untracked_threads, 7u);
  EXPECT_EQ(lost.recursion_misses, 0u);
}

}  // namespace
}  // namespace gilscope
