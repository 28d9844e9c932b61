// Segments are understood while they come: in any pieces, and of threads whose places are reused.
#include <gtest/gtest.h>
#include <malloc.h>

#include "tests/unit/exposition.h"
#include "tests/unit/live_run.h"
#include "tools/live/lock_watch.h"
#include "tools/live/ordered_moments.h"
#include "userspace/live/metrics.h"

namespace gilscope {
namespace {

constexpr uint64_t kStart = 1'000'000;

void name_both(LockWatch& watch) {
  watch.thread(0, {"holder", kHolderTid});
  watch.thread(1, {"waiter", kWaiterTid});
}

void expect_constructed(const LockWatch::Since& since) {
  ASSERT_EQ(since.pairs.size(), 1u);
  const LockWatch::Pair& pair = since.pairs[0];
  EXPECT_EQ(pair.waiter.name, "waiter");
  EXPECT_EQ(pair.owner.name, "holder");
  EXPECT_EQ(pair.ns, 3000u);
  EXPECT_EQ(pair.running_ns, 1500u);
  EXPECT_EQ(pair.preempted_ns, 1500u);
  EXPECT_EQ(pair.asleep_ns, 0u);
  ASSERT_EQ(since.waited.size(), 1u);
  EXPECT_EQ(since.waited[0].ns, 3100u);
  EXPECT_EQ(since.waited[0].for_nobody_ns, 100u);
  EXPECT_EQ(since.handoffs, 1u);
  EXPECT_EQ(since.handoffs_unseen, 0u);
  EXPECT_EQ(since.handoff.count(), 1u);
  EXPECT_EQ(since.handoff_sum_ns, 200u);
}

TEST(LiveLockWatch, EqualsWhatWasConstructed) {
  const auto watch = make_lock_watch();
  watch->segments(run_of_two(kStart));
  name_both(*watch);
  watch->until(kStart + 10'000);
  expect_constructed(watch->since_asked());
  EXPECT_EQ(watch->kept(), 0u);
  EXPECT_TRUE(watch->since_asked().pairs.empty());
}

// The same, however the segments and the questions fall into pieces.
TEST(LiveLockWatch, AddsUpToTheSameInPieces) {
  const auto watch = make_lock_watch();
  name_both(*watch);
  uint64_t ns = 0, waited = 0, handoffs = 0;
  const auto segments = run_of_two(kStart);
  const uint64_t starts[] = {500, 500, 4900, 10'000};  // before which nothing is still to come
  for (size_t i = 0; i < segments.size(); ++i) {
    watch->segments({&segments[i], 1});
    watch->until(kStart + starts[i]);
    const auto since = watch->since_asked();
    for (const auto& pair : since.pairs) ns += pair.ns;
    for (const auto& one : since.waited) waited += one.ns;
    handoffs += since.handoffs;
    EXPECT_EQ(since.late, 0u);
  }
  EXPECT_EQ(ns, 3000u);
  EXPECT_EQ(waited, 3100u);
  EXPECT_EQ(handoffs, 1u);
}

TEST(LiveLockWatch, SaysWhoOwnsAndWhoWaitsSinceWhen) {
  const auto watch = make_lock_watch();
  name_both(*watch);
  const auto segments = run_of_two(kStart);
  watch->segments(std::span(segments).first(2));
  watch->until(kStart + 3000);
  ASSERT_TRUE(watch->owner());
  EXPECT_EQ(watch->owner()->thread.name, "holder");
  EXPECT_EQ(watch->owner()->since_ns, kStart + 500);
  EXPECT_EQ(watch->waiting_since_ns(1), kStart + 2000);
  EXPECT_FALSE(watch->waiting_since_ns(0));
}

// A thread that has ended leaves nothing to the next one in its place, though its last record was
// lost, and its sums have its name.
TEST(LiveLockWatch, TellsThreadsInOnePlaceApart) {
  const auto watch = make_lock_watch();
  size_t heap = 0;  // does not grow with the number of threads that there were
  for (uint64_t round = 0; round < 1000; ++round) {
    if (round == 100) heap = mallinfo2().uordblks;
    const uint64_t at = kStart + round * 10'000;
    const auto tid = static_cast<uint32_t>(100 + round);
    watch->thread(0, {"holder", kHolderTid});
    watch->thread(1, {"waiter-" + std::to_string(round), tid});
    const auto segments = run_of_two(at);
    watch->segments(std::span(segments).first(3));  // it still waits by them
    watch->left(1);
    watch->until(at + 8'000);
    const auto since = watch->since_asked();
    ASSERT_EQ(since.waited.size(), 1u) << round;
    ASSERT_EQ(since.waited[0].thread.name, "waiter-" + std::to_string(round));
    ASSERT_EQ(since.waited[0].ns, 6000u);
    ASSERT_FALSE(watch->waiting_since_ns(1));
    ASSERT_EQ(watch->kept(), 0u);
  }
  EXPECT_LT(mallinfo2().uordblks, heap + 10'000);
}

TEST(LiveOrderedMoments, WaitUntilNothingBeforeThemCanCome) {
  OrderedMoments moments;
  std::vector<uint64_t> seen;
  const auto visit = [&](const Moment& moment) { seen.push_back(moment.ns); };
  const auto segments = run_of_two(kStart);
  moments.add(std::span(segments).first(1));
  moments.until(kStart + 400, visit);
  EXPECT_TRUE(seen.empty());
  moments.add(std::span(segments).subspan(1));
  moments.until(kStart + 2200, visit);
  EXPECT_EQ(seen, (std::vector<uint64_t>{kStart + 500, kStart + 1000, kStart + 2000}));
  moments.until(kStart + 9000, visit);
  EXPECT_TRUE(std::ranges::is_sorted(seen));
  EXPECT_EQ(seen.size(), 10u);
  EXPECT_EQ(moments.kept(), 0u);
  EXPECT_EQ(moments.late(), 0u);
}

TEST(MetricsOfSegments, AddUpWhatTheWatchHasFound) {
  Metrics metrics(make_lock_watch);
  gilscope_thread threads[2]{};
  gilscope_waiter waiters[2]{};
  LiveState state;
  threads[0].tid = kHolderTid;
  threads[1].tid = kWaiterTid;
  threads[0].entered_ns = threads[1].entered_ns = 1;
  state.threads = {{0, 0, "holder", &threads[0], &waiters[0]},
                   {1, 0, "waiter", &threads[1], &waiters[1]}};
  std::map<std::string, double> before;
  for (uint64_t round = 0; round < 2; ++round) {
    const uint64_t at = kStart + round * 10'000;
    metrics.segments(0, run_of_two(at));
    metrics.collect(state, at + 8'000);
    const auto parsed = parse_metrics(metrics.text(true, 0, 0));
    EXPECT_EQ(went_back(before, parsed), "");
  }
  const auto parsed = parse_metrics(metrics.text(true, 0, 0));
  EXPECT_EQ(parsed.problem, "");
  EXPECT_EQ(parsed.value("gilscope_thread_waited_seconds_total{thread=\"waiter\"}"), 6200e-9);
  const std::string pair = "{thread=\"waiter\",owner=\"holder\"";
  EXPECT_EQ(parsed.value("gilscope_waited_for_seconds_total" + pair + ",owner_was=\"running\"}"),
            3000e-9);
  EXPECT_EQ(parsed.value("gilscope_waited_for_seconds_total" + pair + ",owner_was=\"preempted\"}"),
            3000e-9);
  EXPECT_EQ(parsed.value("gilscope_handoff_seconds_bucket{le=\"0.000001023\"}"), 2);
  EXPECT_EQ(parsed.value("gilscope_handoff_seconds_sum"), 400e-9);
}

}  // namespace
}  // namespace gilscope
