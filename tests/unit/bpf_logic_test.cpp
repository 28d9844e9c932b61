// The decisions of the BPF programs, tested without a kernel: their pure functions compile as C++
// too.
#include <gtest/gtest.h>

#include <cstddef>
#include <limits>

#include "bpf/contract.h"
#include "bpf/histogram.h"
#include "bpf/segment.h"
#include "bpf/waking.h"
#include "bpf/window.h"

namespace gilscope {
namespace {

constexpr uint64_t kMax = std::numeric_limits<uint64_t>::max();
constexpr uint64_t kNever = GILSCOPE_NEVER;
constexpr uint32_t kLast = GILSCOPE_BUCKETS - 1;

// --- histogram.h --------------------------------------------------------------------------------

// Checks that the bucket of a value holds it.
void expect_in_its_bucket(uint64_t value) {
  const uint32_t bucket = gilscope_bucket(value);
  ASSERT_LT(bucket, static_cast<uint32_t>(GILSCOPE_BUCKETS)) << value;
  ASSERT_LE(gilscope_bucket_low(bucket), value) << "bucket " << bucket;
  if (bucket == kLast) return;
  ASSERT_LT(value, gilscope_bucket_low(bucket + 1)) << "bucket " << bucket;
}

TEST(HistogramBuckets, HoldTheirValues) {
  for (uint64_t value = 0; value < 100'000; ++value) expect_in_its_bucket(value);
  for (int bit = 0; bit < 64; ++bit) {
    const uint64_t power = uint64_t{1} << bit;
    for (const uint64_t value : {power - 1, power, power + 1, power + power / 2, power | 0x5555}) {
      expect_in_its_bucket(value);
    }
  }
  uint64_t number = 88172645463325252;  // xorshift: the same numbers on every machine
  for (int i = 0; i < 100'000; ++i) {
    number ^= number << 13, number ^= number >> 7, number ^= number << 17;
    expect_in_its_bucket(number >> (i % 64));
  }
}

TEST(HistogramBuckets, StartWhereTheyHold) {
  for (uint32_t bucket = 0; bucket < GILSCOPE_BUCKETS; ++bucket) {
    const uint64_t low = gilscope_bucket_low(bucket);
    EXPECT_EQ(gilscope_bucket(low), bucket);
    if (bucket > 0) {
      EXPECT_GT(low, gilscope_bucket_low(bucket - 1));
      EXPECT_EQ(gilscope_bucket(low - 1), bucket - 1);
    }
  }
}

TEST(HistogramBuckets, AreAnEighthOfTheirValueWideAtMost) {
  for (uint32_t bucket = 0; bucket < kLast; ++bucket) {
    const uint64_t low = gilscope_bucket_low(bucket);
    const uint64_t width = gilscope_bucket_low(bucket + 1) - low;
    if (low < 8) {
      EXPECT_EQ(width, 1u) << "small values have a bucket each";
    } else {
      EXPECT_LE(width * 8, low) << "bucket " << bucket;
    }
  }
}

TEST(HistogramBuckets, EndWithOneThatTakesTheRest) {
  EXPECT_EQ(gilscope_bucket(0), 0u);
  const uint64_t last = gilscope_bucket_low(kLast);
  EXPECT_EQ(last, uint64_t{15} << 34);  // 258 s
  for (const uint64_t value : {last, uint64_t{1} << 38, uint64_t{1} << 63, kMax}) {
    EXPECT_EQ(gilscope_bucket(value), kLast) << value;
  }
  EXPECT_EQ(gilscope_bucket(last - 1), kLast - 1);
}

TEST(Histogram, CountsAndKeepsTheLargest) {
  gilscope_histogram histogram = {};
  for (const uint64_t value : {uint64_t{5}, uint64_t{1000}, uint64_t{1001}, kMax, uint64_t{0}}) {
    gilscope_histogram_add(&histogram, value);
  }
  EXPECT_EQ(histogram.max, kMax);
  EXPECT_EQ(histogram.buckets[0], 1u);
  EXPECT_EQ(histogram.buckets[5], 1u);
  EXPECT_EQ(histogram.buckets[gilscope_bucket(1000)], 2u);
  EXPECT_EQ(histogram.buckets[kLast], 1u);
  uint64_t sum = 0;
  for (const uint64_t count : histogram.buckets) sum += count;
  EXPECT_EQ(sum, 5u);
}

// --- window.h -----------------------------------------------------------------------------------

TEST(Window, CutsAStretchToItself) {
  constexpr uint64_t kOpen = 100, kClose = 200;
  auto within = [](uint64_t from, uint64_t to) { return gilscope_within(from, to, kOpen, kClose); };
  EXPECT_EQ(within(120, 150), 30u);
  EXPECT_EQ(within(100, 200), 100u);
  EXPECT_EQ(within(50, 150), 50u);
  EXPECT_EQ(within(150, 250), 50u);
  EXPECT_EQ(within(50, 250), 100u);
  EXPECT_EQ(within(0, kMax), 100u);
  EXPECT_EQ(within(50, 100), 0u);
  EXPECT_EQ(within(50, 101), 1u);
  EXPECT_EQ(within(199, 300), 1u);
  EXPECT_EQ(within(200, 300), 0u);
  EXPECT_EQ(within(10, 20), 0u);
  EXPECT_EQ(within(210, 220), 0u);
  EXPECT_EQ(within(150, 150), 0u);
}

TEST(Window, HasNothingOfAStretchThatEndsBeforeItBegins) {
  EXPECT_EQ(gilscope_within(150, 120, 100, 200), 0u);
  EXPECT_EQ(gilscope_within(kMax, 0, 100, 200), 0u);
  EXPECT_EQ(gilscope_within(150, 120, 100, kNever), 0u);
}

TEST(Window, HasNoEndUntilItIsClosed) {
  EXPECT_EQ(gilscope_within(50, 1000, 100, kNever), 900u);
  EXPECT_EQ(gilscope_within(50, kMax, 100, kNever), kMax - 100);
}

TEST(Window, HasNothingBeforeItWasOpened) {
  EXPECT_EQ(gilscope_within(0, 1000, kNever, kNever), 0u);
  EXPECT_EQ(gilscope_within(0, 1000, kNever, 500), 0u);
}

// --- segment.h ----------------------------------------------------------------------------------

constexpr uint32_t kRunning = 0, kInterruptible = 1, kDead = 0x80;  // the kernel's task states

TEST(Segment, SwitchesOutAsTheKernelCounts) {
  EXPECT_TRUE(gilscope_voluntary(0, kInterruptible));
  EXPECT_TRUE(gilscope_voluntary(0, kDead));
  EXPECT_FALSE(gilscope_voluntary(0, kRunning)) << "sched_yield";
  EXPECT_FALSE(gilscope_voluntary(1, kRunning));
  EXPECT_FALSE(gilscope_voluntary(1, kInterruptible)) << "preempted on its way to sleep";
}

TEST(Segment, EndsBlockedOnTheGilOnlyWhereItWaitsForIt) {
  EXPECT_EQ(gilscope_how_ended(1, GILSCOPE_WAITING), GILSCOPE_ENDED_BLOCKED_GIL);
  EXPECT_EQ(gilscope_how_ended(1, GILSCOPE_OUTSIDE), GILSCOPE_ENDED_BLOCKED);
  EXPECT_EQ(gilscope_how_ended(1, GILSCOPE_HOLDING), GILSCOPE_ENDED_BLOCKED);
  for (const auto state : {GILSCOPE_OUTSIDE, GILSCOPE_WAITING, GILSCOPE_HOLDING}) {
    EXPECT_EQ(gilscope_how_ended(0, state), GILSCOPE_ENDED_PREEMPTED);
  }
}

TEST(Segment, BeginsByAWakeupOnlyAfterASleep) {
  // Its last segment began at 100, and at 200 it went to sleep.
  EXPECT_EQ(gilscope_how_began(200, 100, 300), GILSCOPE_BEGAN_WOKEN);
  EXPECT_EQ(gilscope_how_began(200, 100, 190), GILSCOPE_BEGAN_WOKEN) << "too late to stop it";
  EXPECT_EQ(gilscope_how_began(200, 100, 90), GILSCOPE_BEGAN_PREEMPTED) << "no waking was seen";
  EXPECT_EQ(gilscope_how_began(200, 100, 0), GILSCOPE_BEGAN_PREEMPTED) << "no waking at all";
  EXPECT_EQ(gilscope_how_began(0, 100, 150), GILSCOPE_BEGAN_PREEMPTED)
      << "woken without having slept";
}

gilscope_waking woken_at(uint64_t before_ns, uint64_t last_ns) {
  gilscope_waking waking = {};
  gilscope_note_waking(&waking, {before_ns, 1, 1, 1});
  gilscope_note_waking(&waking, {last_ns, 2, 2, 2});
  return waking;
}

TEST(Waking, IsKeptWithTheOneBefore) {
  const gilscope_waking waking = woken_at(10, 20);
  EXPECT_EQ(waking.before.woken_ns, 10u);
  EXPECT_EQ(waking.before.waker_tid, 1u);
  EXPECT_EQ(waking.last.woken_ns, 20u);
  EXPECT_EQ(waking.last.placed_cpu, 2u);
}

TEST(Waking, OfAThreadThatCameUnseenIsTheOneBeforeItCame) {
  // Its last segment began at 100. It slept, and was woken at 190, too late to prevent the sleep,
  // or at 210.
  for (const uint64_t first : {190, 210}) {
    const gilscope_waking once = woken_at(90, first), again = woken_at(first, 290);
    EXPECT_EQ(gilscope_waker_of_unseen(&once, 100, 250)->woken_ns, first);
    EXPECT_EQ(gilscope_waker_of_unseen(&again, 100, 250)->woken_ns, first)
        << "not the next waking, at 290";
  }
  // The time of its arrival is an estimate; the only waking since its last segment counts as its
  // waking whatever that time is.
  const gilscope_waking late = woken_at(90, 260);
  EXPECT_EQ(gilscope_waker_of_unseen(&late, 100, 250)->woken_ns, 260u);
}

TEST(Segment, WastedItsWakeupOnlyWhereNothingCameOfIt) {
  for (int began = GILSCOPE_BEGAN_ENTERED; began <= GILSCOPE_BEGAN_PREEMPTED; ++began) {
    for (int ended = GILSCOPE_ENDED_PREEMPTED; ended <= GILSCOPE_ENDED_EXITED; ++ended) {
      for (const uint32_t acquires : {0u, 1u, 1000u}) {
        gilscope_segment segment = {};
        segment.began = static_cast<uint8_t>(began);
        segment.ended = static_cast<uint8_t>(ended);
        segment.acquires = acquires;
        const bool wasted =
            began == GILSCOPE_BEGAN_WOKEN && ended == GILSCOPE_ENDED_BLOCKED_GIL && acquires == 0;
        EXPECT_EQ(gilscope_wasted_wakeup(&segment) != 0, wasted)
            << began << " " << ended << " " << acquires;
      }
    }
  }
}

TEST(Segment, PreemptsAHolderOnlyWhereItWasSwitchedOutRunnableWithTheGil) {
  for (int ended = GILSCOPE_ENDED_PREEMPTED; ended <= GILSCOPE_ENDED_EXITED; ++ended) {
    for (int state = GILSCOPE_OUTSIDE; state <= GILSCOPE_HOLDING; ++state) {
      gilscope_segment segment = {};
      segment.ended = static_cast<uint8_t>(ended);
      segment.gil_state = static_cast<uint8_t>(state);
      const bool preempted = ended == GILSCOPE_ENDED_PREEMPTED && state == GILSCOPE_HOLDING;
      EXPECT_EQ(gilscope_holder_preempted(&segment) != 0, preempted) << ended << " " << state;
    }
  }
}

TEST(Segment, TakesWhatEachCounterGrewBy) {
  gilscope_slot before = {}, now = {};
  now.state = GILSCOPE_HOLDING;
  before.acquires = 100, now.acquires = 101;
  before.releases = 7, now.releases = 9;
  before.contended = 200, now.contended = 202;
  before.woken_lost = 300, now.woken_lost = 303;
  before.timed_out = 400, now.timed_out = 404;
  before.drop_requests = 500, now.drop_requests = 505;
  gilscope_segment segment = {};
  gilscope_take_differences(&segment, &now, &before);
  EXPECT_EQ(segment.gil_state, GILSCOPE_HOLDING);
  EXPECT_EQ(before.state, now.state) << "and `before` is updated";
  EXPECT_EQ(before.releases, 9u);
  EXPECT_EQ(segment.acquires, 1u);
  EXPECT_EQ(segment.contended, 2u);
  EXPECT_EQ(segment.woken_lost, 3u);
  EXPECT_EQ(segment.timed_out, 4u);
  EXPECT_EQ(segment.drop_requests, 5u);
  gilscope_take_differences(&segment, &now, &before);
  EXPECT_EQ(segment.acquires + segment.contended + segment.woken_lost + segment.timed_out +
                segment.drop_requests,
            0u);
}

TEST(Segment, TakesDifferencesAcrossTheEndOfANumber) {
  gilscope_slot before = {}, now = {};
  before.acquires = kMax, now.acquires = 1;                    // 64 bits
  before.contended = 0xfffffffe, now.contended = 0x100000003;  // 32 bits
  before.woken_lost = 0x2ffffffff, now.woken_lost = 0x300000000;
  gilscope_segment segment = {};
  gilscope_take_differences(&segment, &now, &before);
  EXPECT_EQ(segment.acquires, 2u);
  EXPECT_EQ(segment.contended, 5u);
  EXPECT_EQ(segment.woken_lost, 1u);
}

// --- contract.h: what the BPF side, compiled by clang, relies on ---------------------------------

TEST(Contract, KeepsItsSizesAndItsCacheLines) {
  EXPECT_EQ(sizeof(gilscope_slot), 64u);
  EXPECT_EQ(sizeof(gilscope_segment), 64u);
  EXPECT_EQ(offsetof(gilscope_slot, acquires), 8u);
  EXPECT_EQ(offsetof(gilscope_slot, drop_requests), 48u);
  EXPECT_EQ(offsetof(gilscope_segment, end_ns), 16u);
  EXPECT_EQ(offsetof(gilscope_segment, cpu), 32u);
  EXPECT_EQ(offsetof(gilscope_segment, began), 40u);
  EXPECT_EQ(offsetof(gilscope_segment, acquires), 44u);
  EXPECT_EQ(offsetof(gilscope_segment, drop_requests), 60u);
  EXPECT_EQ(sizeof(gilscope_histogram), (GILSCOPE_BUCKETS + 1) * sizeof(uint64_t));
  // Fields that other CPUs write share no cache line with those that this CPU writes.
  EXPECT_EQ(offsetof(gilscope_cpu, remote) % GILSCOPE_CACHE_LINE, 0u);
  EXPECT_EQ(offsetof(gilscope_cpu, histograms) % GILSCOPE_CACHE_LINE, 0u);
  EXPECT_EQ(offsetof(gilscope_thread, waking) % GILSCOPE_CACHE_LINE, 0u);
  EXPECT_EQ(offsetof(gilscope_thread, segment) % GILSCOPE_CACHE_LINE, 0u);
  EXPECT_EQ(offsetof(gilscope_thread, histograms) % GILSCOPE_CACHE_LINE, 0u);
  EXPECT_EQ(offsetof(gilscope_window, entered) % GILSCOPE_CACHE_LINE, 0u);
  EXPECT_EQ(sizeof(gilscope_cpu) % GILSCOPE_CACHE_LINE, 0u);
  EXPECT_EQ(sizeof(gilscope_thread) % GILSCOPE_CACHE_LINE, 0u);
}

}  // namespace
}  // namespace gilscope
