// Findings about the GIL from segments, compared with runs small enough to work out by hand.
#include "tools/trace/trace_findings.h"

#include <gmock/gmock.h>

#include "tests/unit/sample_trace.h"
#include "tools/trace/gil_spans.h"
#include "tools/trace/report_findings.h"
#include "userspace/descriptor/policy.h"

namespace gilscope {
namespace {

using sample::SegmentOf;
using sample::Traced;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr uint8_t kEntered = GILSCOPE_BEGAN_ENTERED, kPreempted = GILSCOPE_BEGAN_PREEMPTED;
constexpr uint8_t kOff = GILSCOPE_ENDED_PREEMPTED, kOnGil = GILSCOPE_ENDED_BLOCKED_GIL,
                  kLeft = GILSCOPE_ENDED_LEFT, kBlocked = GILSCOPE_ENDED_BLOCKED;
constexpr uint8_t kWaiting = GILSCOPE_WAITING, kHolding = GILSCOPE_HOLDING;

// Everything that GilSpans reports, as text.
struct SpanRecorder : GilSpansReader {
  std::vector<std::string> spans, owners, handoffs;

  void span(const GilSpan& s) override {
    spans.push_back(fmt::format("{} {} {}..{}", s.thread,
                                s.kind == GilSpan::Kind::holding ? "holds" : "waits", s.from_ns,
                                s.to_ns));
  }
  void owner(const OwnerSpan& s) override {
    owners.push_back(fmt::format("{} {}..{}", s.thread, s.from_ns, s.to_ns));
  }
  void handoff(const Handoff& h) override {
    handoffs.push_back(fmt::format("{}->{} at {}{}, {} waiting", h.from, h.to, h.acquire_ns,
                                   h.latency_ns() ? fmt::format(" after {}", *h.latency_ns()) : "",
                                   h.waiters));
  }
};

SpanRecorder told(const std::vector<SegmentOf>& all, bool one_owner = true,
                  bool of_subject = false) {
  SpanRecorder told;
  std::vector<uint32_t> tids;
  for (uint32_t slot = 0; slot < 4; ++slot) tids.push_back(sample::kFirstTid + slot);
  GilSpans spans(tids, one_owner, told, of_subject);
  uint64_t last_ns = 0;
  each_moment(sample::segments(all), [&](const Moment& m) { spans.visit(m), last_ns = m.ns; });
  spans.finish(last_ns);
  EXPECT_EQ(spans.holders(), 0u);
  EXPECT_EQ(spans.waiters(), 0u);
  return told;
}

// Of a real program: thread 1 took the GIL again without a sleep, and let it go for a forced
// switch.
TEST(GilSpans, WhoSleepsForAForcedSwitchHadTheGil) {
  const std::vector<SegmentOf> forced{{.thread = 1,
                                       .ready_ns = 90,
                                       .run_ns = 100,
                                       .end_ns = 500,
                                       .ended = kOnGil,
                                       .gil_state = kWaiting}};
  EXPECT_THAT(told(forced, true, true).owners, ElementsAre("1 100..500"));
  EXPECT_THAT(told(forced).owners, IsEmpty()) << "a model's acquisitions are all seen";
  gilscope_segment failed = sample::segment(forced[0]);
  failed.contended = 1;
  SpanRecorder none;
  GilSpans spans({0, sample::kFirstTid + 1}, true, none, true);
  each_moment(std::vector<gilscope_segment>{failed}, [&](const Moment& m) { spans.visit(m); });
  failed.contended = 0, failed.seen = GILSCOPE_SEEN_UNDECIDED;
  each_moment(std::vector<gilscope_segment>{failed}, [&](const Moment& m) { spans.visit(m); });
  spans.finish(500);
  EXPECT_THAT(none.owners, IsEmpty()) << "an attempt that failed";
}

// Thread 1 computes; thread 2 is woken once in vain, and then gets the GIL.
std::vector<SegmentOf> convoy() {
  return {
      {.thread = 1,
       .ready_ns = 0,
       .run_ns = 100,
       .end_ns = 500,
       .began = kEntered,
       .ended = kOnGil,
       .gil_state = kWaiting,
       .acquires = 7,
       .cpu = 0},
      {.thread = 2,
       .ready_ns = 0,
       .run_ns = 110,
       .end_ns = 120,
       .began = kEntered,
       .ended = kOnGil,
       .gil_state = kWaiting,
       .cpu = 1},
      {.thread = 2,
       .ready_ns = 200,
       .run_ns = 250,
       .end_ns = 260,
       .ended = kOnGil,
       .gil_state = kWaiting,
       .waker = 1,
       .cpu = 1,
       .previous_cpu = 1},
      {.thread = 2,
       .ready_ns = 460,
       .run_ns = 480,
       .end_ns = 700,
       .ended = kBlocked,
       .acquires = 1,
       .waker = 1,
       .cpu = 1,
       .previous_cpu = 1},
      {.thread = 1,
       .ready_ns = 650,
       .run_ns = 690,
       .end_ns = 900,
       .ended = kLeft,
       .acquires = 1,
       .waker = 2,
       .cpu = 1,
       .previous_cpu = 0},
  };
}

TEST(GilSpansTest, TellHoldersWaitersAndHandoffs) {
  const SpanRecorder t = told(convoy());
  EXPECT_THAT(t.spans, ElementsAre("2 waits 120..480", "1 holds 100..500", "1 waits 500..690",
                                   "2 holds 480..700", "1 holds 690..900"));
  EXPECT_THAT(t.owners, ElementsAre("1 100..480", "2 480..690", "1 690..900"));
  EXPECT_THAT(t.handoffs,
              ElementsAre("1->2 at 480 after 20, 1 waiting", "2->1 at 690 after 40, 1 waiting"));
}

TEST(GilSpansTest, AHolderThatIsPreemptedOrBlockedGoesOnHolding) {
  const SpanRecorder t = told({
      {.thread = 1,
       .ready_ns = 0,
       .run_ns = 100,
       .end_ns = 200,
       .began = kEntered,
       .ended = kOff,
       .gil_state = kHolding,
       .acquires = 1},
      {.thread = 1,
       .ready_ns = 200,
       .run_ns = 300,
       .end_ns = 400,
       .began = kPreempted,
       .gil_state = kHolding},
      {.thread = 1, .ready_ns = 500, .run_ns = 510, .end_ns = 600, .ended = kLeft},
  });
  EXPECT_THAT(t.spans, ElementsAre("1 holds 100..600"));
  EXPECT_THAT(t.owners, ElementsAre("1 100..600"));
  EXPECT_THAT(t.handoffs, IsEmpty());
}

TEST(GilSpansTest, AThreadThatFoundItFreeHasNoLatency) {
  const SpanRecorder t = told({
      {.thread = 1, .ready_ns = 0, .run_ns = 100, .end_ns = 200, .began = kEntered, .acquires = 1},
      {.thread = 2, .ready_ns = 0, .run_ns = 150, .end_ns = 160, .began = kEntered},
      // Woken by thread 1, but not out of a wait for the GIL.
      {.thread = 2, .ready_ns = 190, .run_ns = 300, .end_ns = 400, .acquires = 1, .waker = 1},
  });
  EXPECT_THAT(t.handoffs, ElementsAre("1->2 at 300, 0 waiting"));
  EXPECT_THAT(t.owners, ElementsAre("1 100..200", "2 300..400"));
}

TEST(GilSpansTest, TheSameThreadAgainIsNoHandoff) {
  const SpanRecorder t = told({
      {.thread = 1, .ready_ns = 0, .run_ns = 100, .end_ns = 200, .began = kEntered, .acquires = 1},
      {.thread = 1, .ready_ns = 250, .run_ns = 300, .end_ns = 400, .acquires = 1},
  });
  EXPECT_THAT(t.handoffs, IsEmpty());
  EXPECT_THAT(t.owners, ElementsAre("1 100..200", "1 300..400"));
}

TEST(GilSpansTest, InsideAnothersHoldingTheOwnerComesBack) {
  const SpanRecorder t = told({
      {.thread = 2,
       .ready_ns = 0,
       .run_ns = 150,
       .end_ns = 160,
       .began = kEntered,
       .acquires = 1,
       .cpu = 1},
      {.thread = 1, .ready_ns = 0, .run_ns = 100, .end_ns = 200, .began = kEntered, .acquires = 9},
  });
  EXPECT_THAT(t.owners, ElementsAre("1 100..150", "2 150..160", "1 160..200"));
}

TEST(GilSpansTest, HasNoOwnerWhereSeveralMayHold) {
  EXPECT_TRUE(has_one_owner("check-interval:100"));
  EXPECT_TRUE(has_one_owner("sharded:1"));
  EXPECT_FALSE(has_one_owner("sharded:16"));
  EXPECT_FALSE(has_one_owner("none"));
  const SpanRecorder t = told(convoy(), false);
  EXPECT_THAT(t.spans, testing::SizeIs(5));
  EXPECT_THAT(t.owners, IsEmpty());
  EXPECT_THAT(t.handoffs, IsEmpty());
}

TraceFindings found(const Traced& traced) {
  auto findings = report_findings(traced.path(), traced.report);
  EXPECT_TRUE(findings) << findings.error().message;
  if (!findings || !findings->cells[0]) return {};
  return findings->cells[0]->sum;
}

TEST(TraceFindingsTest, TimeIsSharedOutWithoutARest) {
  const TraceFindings f = found(Traced(sample::segments(convoy())));
  ASSERT_TRUE(f.gil);
  EXPECT_EQ(f.span_ns, 800u);
  EXPECT_EQ(f.gil->held_ns() + f.gil->free_ns, f.span_ns);
  EXPECT_EQ(f.gil->held_off_cpu_ns, 0u);
  EXPECT_EQ(f.gil->overlapping_ns, 20u + 10u) << "480..500 and 690..700";
  EXPECT_EQ(f.gil->handoffs, 2u);
  EXPECT_EQ(f.gil->handoffs_unseen, 0u);
  EXPECT_EQ(f.gil->handoff.count(), 2u);
  EXPECT_EQ(f.gil->handoff.max_ns, 40u);
  EXPECT_THAT(f.gil->convoy, ElementsAre(std::pair(1u, 2u)));
  EXPECT_EQ(f.wakeups, 3u);
  EXPECT_EQ(f.wasted_wakeups, 1u);
  EXPECT_EQ(f.acquires, 9u);
  EXPECT_EQ(f.on_cpu_ns, 400u + 10 + 10 + 220 + 210);
  EXPECT_EQ(f.holding.count(), 3u);
  EXPECT_EQ(f.waiting.count(), 2u);
  EXPECT_THAT(f.moves, ElementsAre(std::pair(std::pair(0, 1), 1u)));
  EXPECT_EQ(f.wakers[1][2], 2u);
  EXPECT_EQ(f.wakers[2][1], 1u);
}

TEST(TraceFindingsTest, TimeCountsWithinTheWindowOnly) {
  Traced traced(sample::segments({{.thread = 1,
                                   .ready_ns = 100,
                                   .run_ns = 100,
                                   .end_ns = 900,
                                   .began = kEntered,
                                   .ended = kLeft,
                                   .acquires = 1}}));
  traced.run().opened_ns = 200;
  traced.run().window_ns = 500;
  const TraceFindings f = found(traced);
  EXPECT_EQ(f.span_ns, 500u);
  EXPECT_EQ(f.on_cpu_ns, 500u);
  EXPECT_EQ(f.gil->held_ns(), 500u);
  EXPECT_EQ(f.gil->free_ns, 0u);
}

TEST(TraceFindingsTest, ChainsAddUpFromWakerToWakee) {
  const TraceFindings f = found(Traced(sample::segments(convoy())));
  // 2 woken by 1, which had not waited: 50, then 20; 1 woken by 2: its 20 and 40.
  EXPECT_EQ(f.chain.delay.count(), 3u);
  EXPECT_EQ(f.chain.longest_ns, 60u);
  EXPECT_EQ(f.chain.longest_wakeups, 2u);
}

TEST(TraceFindingsTest, APreemptionAddsItsOwnWaitToTheChain) {
  const TraceFindings f = found(Traced(sample::segments({
      {.thread = 1, .ready_ns = 0, .run_ns = 100, .end_ns = 200, .began = kEntered},
      // Woken by other threads.
      {.thread = 1, .ready_ns = 300, .run_ns = 310, .end_ns = 400, .ended = kOff},
      {.thread = 1, .ready_ns = 400, .run_ns = 450, .end_ns = 500, .began = kPreempted},
  })));
  EXPECT_EQ(f.chain.longest_ns, 60u);
  EXPECT_EQ(f.chain.longest_wakeups, 1u);
  EXPECT_EQ(f.wakers[3][1], 1u) << "the last row is for all other threads";
}

TEST(TraceFindingsTest, ACpuIdlesWhileAThreadCouldRunAndTheGilIsFree) {
  const std::vector<SegmentOf> all = {
      {.thread = 1, .ready_ns = 0, .run_ns = 100, .end_ns = 200, .began = kEntered, .acquires = 1},
      {.thread = 1, .ready_ns = 260, .run_ns = 300, .end_ns = 400, .ended = kLeft, .acquires = 1},
  };
  EXPECT_EQ(found(Traced(sample::segments(all))).gil->idle_while_free_ns, 40u);
  EXPECT_EQ(found(Traced(sample::segments(all))).gil->free_ns, 100u);
  // If another of its threads has the only CPU, the CPU does not idle.
  std::vector<SegmentOf> beside = all;
  beside.push_back({.thread = 2, .ready_ns = 0, .run_ns = 210, .end_ns = 290, .began = kEntered});
  EXPECT_EQ(found(Traced(sample::segments(beside), 3, 1)).gil->idle_while_free_ns, 10u);
  EXPECT_EQ(found(Traced(sample::segments(beside), 3, 2)).gil->idle_while_free_ns, 40u);
}

TEST(TraceFindingsTest, AnOwnerThatDoesNotRunIsHeldOffCpu) {
  const TraceFindings f = found(Traced(sample::segments({
      {.thread = 1,
       .ready_ns = 0,
       .run_ns = 100,
       .end_ns = 200,
       .began = kEntered,
       .ended = kOff,
       .gil_state = kHolding,
       .acquires = 1},
      {.thread = 1,
       .ready_ns = 200,
       .run_ns = 230,
       .end_ns = 400,
       .began = kPreempted,
       .ended = kLeft},
  })));
  EXPECT_EQ(f.gil->held_on_cpu_ns, 270u);
  EXPECT_EQ(f.gil->held_off_cpu_ns, 30u);
}

TEST(TraceFindingsTest, WithoutOneLockThereIsNoGilToSpeakOf) {
  EXPECT_FALSE(found(Traced(sample::segments(convoy()), 3, 2, "none")).gil);
  EXPECT_FALSE(found(Traced(sample::segments(convoy()), 3, 2, "sharded:16")).gil);
  EXPECT_TRUE(found(Traced(sample::segments(convoy()), 3, 2, "sharded:1")).gil);
}

TEST(TraceFindingsTest, RunsOfACellAddUp) {
  const TraceFindings one = found(Traced(sample::segments(convoy())));
  TraceFindings sum;
  sum += one;
  sum += one;
  EXPECT_EQ(sum.runs, 2u);
  EXPECT_EQ(sum.records, 2 * one.records);
  EXPECT_EQ(sum.gil->handoff.count(), 4u);
  EXPECT_EQ(sum.gil->convoy.at(1), 4u);
  EXPECT_EQ(sum.wakers[1][2], 4u);
  EXPECT_EQ(sum.chain.longest_ns, one.chain.longest_ns);
}

TEST(TraceFindingsTest, LeavesOutWhatSummariesLeaveOut) {
  const auto cells_of = [](auto change) {
    Traced traced(sample::segments(convoy()));
    change(traced.run());
    auto findings = report_findings(traced.path(), traced.report);
    EXPECT_TRUE(findings) << findings.error().message;
    return *findings;
  };
  EXPECT_TRUE(cells_of([](auto&) {}).any());
  EXPECT_FALSE(cells_of([](auto& run) { run.warmup = true; }).any());
  EXPECT_FALSE(cells_of([](auto& run) { run.status = "failed"; }).any());
  EXPECT_FALSE(cells_of([](auto& run) { run.disturbances = {{"steal", 0.5, 0.1}}; }).any());
  EXPECT_FALSE(cells_of([](auto& run) { run.segments_file = ""; }).any());
  const ReportFindings away = cells_of([](auto& run) { run.segments_file = "segments/no.bin"; });
  EXPECT_FALSE(away.any());
  EXPECT_EQ(away.runs_without_files, 1u);
}

TEST(TraceFindingsTest, AFileThatCannotBeBelievedIsAnError) {
  Traced traced(sample::segments(convoy()));
  traced.run().segment_records += 1;
  auto findings = report_findings(traced.path(), traced.report);
  ASSERT_FALSE(findings);
  EXPECT_EQ(findings.error().code, Exit::no_data);
}

}  // namespace
}  // namespace gilscope
