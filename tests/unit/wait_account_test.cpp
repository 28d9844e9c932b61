// The wait matrix of runs whose turns are known, and on random ones.
#include "tools/trace/wait_account.h"

#include <gmock/gmock.h>

#include <random>

#include "tests/unit/sample_trace.h"
#include "tests/unit/sample_waits.h"
#include "tools/trace/report_findings.h"

namespace gilscope {
namespace {

using sample::one_holder_two_waiters;
using sample::SegmentOf;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr uint8_t kEntered = GILSCOPE_BEGAN_ENTERED, kPreempted = GILSCOPE_BEGAN_PREEMPTED;
constexpr uint8_t kOff = GILSCOPE_ENDED_PREEMPTED, kOnGil = GILSCOPE_ENDED_BLOCKED_GIL,
                  kBlocked = GILSCOPE_ENDED_BLOCKED;
constexpr uint8_t kWaiting = GILSCOPE_WAITING, kHolding = GILSCOPE_HOLDING;

std::vector<uint32_t> tids(size_t threads) {
  std::vector<uint32_t> tids;
  for (uint32_t slot = 0; slot < threads; ++slot) tids.push_back(sample::kFirstTid + slot);
  return tids;
}

// How long each thread waited, by the spans alone.
struct Waits : GilSpansReader {
  explicit Waits(size_t threads, Window window = {}) : window(window), ns(threads) {}
  void span(const GilSpan& s) override {
    if (s.kind == GilSpan::Kind::waiting) ns[s.thread] += window.length_ns(s.from_ns, s.to_ns);
  }
  Window window;
  std::vector<uint64_t> ns;
};

void expect_sums(const WaitMatrix& matrix, const std::vector<uint64_t>& waited) {
  ASSERT_EQ(matrix.threads(), waited.size());
  PairWaits by_owner;
  for (const PairWaits& owner : matrix.owners()) by_owner += owner;
  EXPECT_EQ(by_owner, matrix.total());
  EXPECT_EQ(matrix.total().total().ns + matrix.nobody_ns(), matrix.waited_ns());
  for (uint32_t waiter = 0; waiter < waited.size(); ++waiter) {
    EXPECT_EQ(matrix.waited_ns(waiter), waited[waiter]) << "thread " << waiter;
    for (const WaitMatrix::Pair& pair : matrix.rows()[waiter].pairs) {
      EXPECT_NE(pair.owner, waiter) << "nobody waits for itself";
      for (const auto& row : pair.waits.times) {
        for (const WaitTime& time : row) EXPECT_LE(time.bounded_ns, time.ns);
      }
    }
  }
}

WaitMatrix matrix_of(const std::vector<gilscope_segment>& segments, size_t threads,
                     bool of_subject = false, Window window = {}, bool release_wakes = true) {
  Waits waits(threads, window);
  WaitAccount account(tids(threads), true, waits, of_subject, window, release_wakes);
  uint64_t last_ns = 0;
  each_moment(segments, [&](const Moment& m) { account.visit(m), last_ns = m.ns; });
  account.finish(last_ns);
  expect_sums(account.so_far(), waits.ns);
  return account.so_far();
}

WaitTime exact(uint64_t ns) {
  return {ns, 0};
}

TEST(WaitAccount, IsWhatWasConstructed) {
  const WaitMatrix matrix = matrix_of(sample::segments(one_holder_two_waiters()), 3);
  PairWaits one, two, last;
  one.at(WaiterWas::asleep, OwnerWas::running) = {150 + 100 + 60 + 200, 150};
  one.at(WaiterWas::asleep, OwnerWas::preempted) = exact(100 + 20);
  one.at(WaiterWas::asleep, OwnerWas::asleep) = exact(80);
  one.at(WaiterWas::runnable, OwnerWas::running) = exact(20);
  one.at(WaiterWas::running, OwnerWas::running) = exact(20);
  two.at(WaiterWas::runnable, OwnerWas::running) = {100, 100};
  two.at(WaiterWas::runnable, OwnerWas::preempted) = exact(50);
  two.at(WaiterWas::running, OwnerWas::preempted) = exact(10);
  two.at(WaiterWas::asleep, OwnerWas::preempted) = exact(40 + 20);
  two.at(WaiterWas::asleep, OwnerWas::running) = exact(200 + 200);
  two.at(WaiterWas::asleep, OwnerWas::asleep) = exact(80);
  last.at(WaiterWas::asleep, OwnerWas::running) = exact(50);
  EXPECT_THAT(matrix.rows()[0], (WaitMatrix::Row{}));
  EXPECT_THAT(matrix.rows()[1], (WaitMatrix::Row{{{0, one}}, {}, {0, 50, 0}}));
  EXPECT_THAT(matrix.rows()[2], (WaitMatrix::Row{{{0, two}, {1, last}}, {}, {50, 10, 0}}));
  EXPECT_EQ(matrix.waited_ns(1), 800u);
  EXPECT_EQ(matrix.waited_ns(2), 810u);
  ASSERT_TRUE(matrix.worst());
  EXPECT_EQ(matrix.worst()->waiter, 1u) << "750 ns to 700";
  EXPECT_EQ(matrix.worst()->owner, 0u);
  EXPECT_THAT(matrix.pairs(), SizeIs(3));
}

// A thread that is off its CPU with the GIL in its slot has it, whoever else acquires it within a
// segment that began before.
TEST(WaitAccount, WhoCertainlyHoldsItLeavesNoneToTheOthers) {
  const std::vector<SegmentOf> segments{
      {.thread = 0,
       .ready_ns = 0,
       .run_ns = 100,
       .end_ns = 200,
       .began = kEntered,
       .ended = kOff,
       .gil_state = kHolding,
       .acquires = 1},
      {.thread = 0, .ready_ns = 200, .run_ns = 400, .end_ns = 450, .began = kPreempted},
      {.thread = 1, .ready_ns = 0, .run_ns = 150, .end_ns = 500, .began = kEntered, .acquires = 1},
      {.thread = 2,
       .ready_ns = 0,
       .run_ns = 100,
       .end_ns = 120,
       .began = kEntered,
       .ended = kOnGil,
       .gil_state = kWaiting},
      {.thread = 2, .ready_ns = 500, .run_ns = 500, .end_ns = 510, .acquires = 1},
  };
  const WaitMatrix matrix = matrix_of(sample::segments(segments), 3);
  PairWaits zero, one;
  zero.at(WaiterWas::asleep, OwnerWas::running) = exact(30);
  zero.at(WaiterWas::asleep, OwnerWas::preempted) = exact(200);
  one.at(WaiterWas::asleep, OwnerWas::running) = {50 + 50 + 50, 50 + 50};
  EXPECT_THAT(matrix.rows()[2].pairs,
              ElementsAre(WaitMatrix::Pair{0, zero}, WaitMatrix::Pair{1, one}));
}

// Thread 0 has it throughout its second segment, in which thread 2 runs from 300 to 330.
TEST(WaitAccount, ARunningOwnersSlotIsBelievedWhileNobodyElseCouldRunOrAllIsCounted) {
  const std::vector<gilscope_segment> segments =
      sample::segments({{.thread = 0,
                         .ready_ns = 0,
                         .run_ns = 100,
                         .end_ns = 200,
                         .began = kEntered,
                         .ended = kOff,
                         .gil_state = kHolding},
                        {.thread = 0,
                         .ready_ns = 200,
                         .run_ns = 210,
                         .end_ns = 400,
                         .began = kPreempted,
                         .ended = kOff,
                         .gil_state = kHolding},
                        {.thread = 1,
                         .ready_ns = 0,
                         .run_ns = 110,
                         .end_ns = 120,
                         .began = kEntered,
                         .ended = kOnGil,
                         .gil_state = kWaiting},
                        {.thread = 2, .ready_ns = 300, .run_ns = 310, .end_ns = 330}});
  const auto times = [&](bool of_subject, bool release_wakes) {
    const WaitMatrix matrix = matrix_of(segments, 3, of_subject, {}, release_wakes);
    const PairWaits waits = matrix.rows()[1].pairs.at(0).waits;
    EXPECT_EQ(waits.of(OwnerWas::preempted), exact(10));
    return waits.of(OwnerWas::running);
  };
  EXPECT_EQ(times(false, true), exact(80 + 190));
  EXPECT_EQ(times(true, true), (WaitTime{80 + 190, 30})) << "not all of its acquisitions count";
  EXPECT_EQ(times(false, false), (WaitTime{80 + 190, 80})) << "its first segment acquires";
  EXPECT_EQ(times(true, false), (WaitTime{80 + 190, 80 + 190}));
}

TEST(WaitAccount, BoundsAWaitThatEndsWithinASegment) {
  const WaitMatrix matrix =
      matrix_of(sample::segments({{.thread = 0,
                                   .ready_ns = 0,
                                   .run_ns = 100,
                                   .end_ns = 150,
                                   .began = kEntered,
                                   .ended = kOff,
                                   .gil_state = kHolding,
                                   .acquires = 1},
                                  {.thread = 0,
                                   .ready_ns = 150,
                                   .run_ns = 160,
                                   .end_ns = 400,
                                   .began = kPreempted,
                                   .ended = kOff,
                                   .gil_state = kHolding},
                                  {.thread = 1,
                                   .ready_ns = 0,
                                   .run_ns = 110,
                                   .end_ns = 170,
                                   .began = kEntered,
                                   .ended = kOnGil,
                                   .gil_state = kWaiting},
                                  {.thread = 1, .ready_ns = 200, .run_ns = 210, .end_ns = 240}}),
                2);
  const PairWaits& waits = matrix.rows()[1].pairs.at(0).waits;
  EXPECT_EQ(waits.at(WaiterWas::running, OwnerWas::running), (WaitTime{30, 30}));
  EXPECT_EQ(waits.total(), (WaitTime{30 + 10 + 30, 30}));
}

// ---- random runs ----

// Segments that each thread could have had; they need not agree on who has the lock.
std::vector<gilscope_segment> random_segments(std::mt19937& random, size_t threads) {
  const auto up_to = [&](uint64_t most) {
    return std::uniform_int_distribution<uint64_t>(0, most)(random);
  };
  std::vector<gilscope_segment> all;
  for (uint32_t thread = 0; thread < threads; ++thread) {
    uint64_t ns = 1 + up_to(500);
    bool preempted = false;
    for (uint64_t i = up_to(40); i > 0; --i) {
      SegmentOf of{.thread = thread, .ready_ns = ns, .run_ns = 0, .end_ns = 0};
      if (preempted) of.began = kPreempted;
      if (!preempted) of.ready_ns += up_to(100);
      of.run_ns = of.ready_ns + up_to(30);
      of.end_ns = ns = of.run_ns + 1 + up_to(100);
      of.gil_state = static_cast<uint8_t>(up_to(2));
      preempted = up_to(2) == 0;
      of.ended = preempted ? kOff : of.gil_state == kWaiting ? kOnGil : kBlocked;
      of.acquires = up_to(2) == 0 ? 1 : 0;
      all.push_back(sample::segment(of));
    }
  }
  return all;
}

TEST(WaitAccount, SharesOutEachThreadsWaitingWithoutARest) {
  std::mt19937 random(26);
  for (int round = 0; round < 200; ++round) {
    const size_t threads = 1 + round % 7;
    const auto segments = random_segments(random, threads);
    matrix_of(segments, threads);
    matrix_of(segments, threads, true);
    matrix_of(segments, threads, true, {}, false);
    matrix_of(segments, threads, false, {300, 900});
  }
}

TEST(WaitAccount, IsTheSameHoweverOftenItIsAsked) {
  std::mt19937 random(27);
  for (int round = 0; round < 100; ++round) {
    const auto segments = random_segments(random, 5);
    const WaitMatrix whole = matrix_of(segments, 5);
    GilSpansReader nobody;
    WaitAccount account(tids(5), true, nobody);
    WaitMatrix sum;
    uint64_t last_ns = 0;
    each_moment(segments, [&](const Moment& m) {
      if (random() % 3 == 0 && last_ns) account.until(last_ns + (m.ns - last_ns) / 2);
      if (random() % 3 == 0) sum += account.since_asked();
      account.visit(m);
      last_ns = m.ns;
    });
    account.finish(last_ns);
    sum += account.since_asked();
    EXPECT_EQ(sum, whole);
    EXPECT_EQ(account.so_far(), whole);
    EXPECT_EQ(account.since_asked().waited_ns(), 0u);
  }
}

TEST(WaitAccount, CountsOpenWaitsUpToNow) {
  GilSpansReader nobody;
  WaitAccount account(tids(3), true, nobody);
  each_moment(sample::segments(one_holder_two_waiters()), [&](const Moment& m) {
    if (m.ns <= 500) account.visit(m);
  });
  account.since_asked();
  account.until(600);
  const WaitMatrix more = account.since_asked();
  EXPECT_EQ(more.waited_ns(1), 100u);
  EXPECT_EQ(more.waited_ns(2), 100u);
  EXPECT_EQ(account.so_far().waited_ns(1), 450u);
}

TEST(WaitAccount, TakesThreadsThatComeLater) {
  GilSpansReader nobody;
  const auto segments = sample::segments(one_holder_two_waiters());
  WaitAccount account({}, true, nobody);
  size_t known = 0;
  each_moment(segments, [&](const Moment& m) {
    for (; known <= m.thread(); ++known) {
      account.add_thread(static_cast<uint32_t>(sample::kFirstTid + known));
    }
    account.visit(m);
  });
  account.finish(1020);
  EXPECT_EQ(account.so_far(), matrix_of(segments, 3));
}

TEST(WaitAccount, CountsALateMomentAsOfTheLastOne) {
  GilSpansReader nobody;
  WaitAccount account(tids(3), true, nobody);
  std::vector<Moment> moments;
  each_moment(sample::segments(one_holder_two_waiters()),
              [&](const Moment& m) { moments.push_back(m); });
  std::ranges::stable_sort(moments, {}, [](const Moment& m) {
    return std::pair(m.segment.end_ns, m.thread());  // as records come
  });
  for (const Moment& m : moments) account.visit(m);
  account.finish(1020);
  EXPECT_EQ(account.last_ns(), 1020u);
  EXPECT_LE(account.so_far().waited_ns(1), 1020u);
  EXPECT_GT(account.so_far().waited_ns(1), 0u);
}

TEST(WaitAccount, HasNoMatrixWhereSeveralMayHold) {
  GilSpansReader nobody;
  WaitAccount account(tids(3), false, nobody);
  each_moment(sample::segments(one_holder_two_waiters()),
              [&](const Moment& m) { account.visit(m); });
  account.finish(1020);
  EXPECT_TRUE(account.so_far().empty());
  EXPECT_TRUE(account.since_asked().empty());
}

// ---- memory ----

// Each of many threads owns it in turn while all others wait.
void take_turns(WaitAccount& account, uint32_t threads, uint64_t from_ns) {
  for (uint32_t turn = 0; turn < threads; ++turn) {
    const uint64_t ns = from_ns + turn * 100;
    const SegmentOf of{.thread = turn,
                       .ready_ns = ns,
                       .run_ns = ns + 10,
                       .end_ns = ns + 100,
                       .ended = kOnGil,
                       .gil_state = kWaiting,
                       .acquires = 1};
    const gilscope_segment segment = sample::segment(of);
    for (const auto kind : {Moment::Kind::ready, Moment::Kind::ran, Moment::Kind::ended}) {
      const uint64_t at = kind == Moment::Kind::ready ? segment.ready_ns
                          : kind == Moment::Kind::ran ? segment.run_ns
                                                      : segment.end_ns;
      account.visit({at, kind, segment, from_ns > 1 ? kWaiting : uint8_t{0}, 0});
    }
  }
}

TEST(WaitAccount, ItsMemoryGrowsWithTheThreadsAlone) {
  constexpr uint32_t kThreads = 100;
  Waits waits(kThreads);
  WaitAccount account(tids(kThreads), true, waits);
  const auto pairs = [&] {
    size_t pairs = 0;
    const WaitMatrix matrix = account.so_far();
    for (const WaitMatrix::Row& row : matrix.rows()) pairs += row.pairs.size();
    return pairs;
  };
  take_turns(account, kThreads, 1);
  take_turns(account, kThreads, 1'000'000);
  const size_t before = pairs();
  EXPECT_EQ(before, kThreads * WaitMatrix::kOwners);
  for (uint64_t round = 2; round < 5; ++round) {
    take_turns(account, kThreads, round * 1'000'000);
    account.since_asked();
  }
  EXPECT_EQ(pairs(), before);
  account.finish(6'000'000);
  expect_sums(account.so_far(), waits.ns);
  EXPECT_GT(account.so_far().others_ns(), 0u) << "what found no place is not lost";
}

// ---- the matrix of a report ----

TEST(WaitMatrix, OfSeveralRunsAddsUp) {
  const WaitMatrix one = matrix_of(sample::segments(one_holder_two_waiters()), 3);
  WaitMatrix sum;
  sum += one;
  sum += one;
  EXPECT_EQ(sum.waited_ns(), 2 * one.waited_ns());
  EXPECT_EQ(sum.worst()->waits.total().ns, 2 * 750u);
  EXPECT_EQ(sum.worst()->waits.total().bounded_ns, 2 * 150u);
  EXPECT_EQ(sum.nobody_ns(), 2 * one.nobody_ns());
  WaitMatrix none;
  none += WaitMatrix();
  EXPECT_TRUE(none.empty());
  EXPECT_FALSE(none.worst());
  EXPECT_THAT(none.pairs(), IsEmpty());
}

TEST(WaitMatrix, IsAmongTheFindingsOfACellWithOneOwner) {
  for (const auto& [policy, has] : {std::pair{"switch-interval:5ms", true},
                                    {"sharded:1", true},
                                    {"sharded:16", false},
                                    {"none", false}}) {
    const sample::Traced traced(sample::segments(one_holder_two_waiters()), 3, 2, policy);
    auto findings = report_findings(traced.path(), traced.report);
    ASSERT_TRUE(findings && findings->cells[0]) << policy;
    const TraceFindings& sum = findings->cells[0]->sum;
    EXPECT_EQ(sum.waits.empty(), !has) << policy;
    if (has) EXPECT_EQ(sum.waits, matrix_of(traced.segments, 3)) << policy;
  }
}

}  // namespace
}  // namespace gilscope
