// The guarantees of each policy to its threads: the counts and states on the board, mutual
// exclusion, and its own rule for when the GIL changes hands. Spellings: policies_test.cpp.
#include "userspace/gil/gil.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <climits>

#include "tests/every_policy.h"
#include "tests/unit/under_gil.h"
#include "userspace/eval/interpreter.h"
#include "userspace/eval/programs.h"

namespace gilscope {
namespace {

std::unique_ptr<Gil> make(const std::string& policy) {
  auto gil = make_gil(policy);
  EXPECT_TRUE(gil) << gil.error().message;
  return std::move(*gil);
}

bool is_one_of(const std::string& policy, std::initializer_list<const char*> names) {
  const std::string name = policy.substr(0, policy.find(':'));
  return std::any_of(names.begin(), names.end(), [&](const char* one) { return name == one; });
}

const char* const kSemaphore = "check-interval:100";
const char* const kCondvar = "check-interval:100,lock=condvar";

// Each policy with long turns and with short ones, and what else there is to choose.
std::vector<std::string> all_policies() {
  return joined(
      joined({"check-interval:0", "check-interval:100,lock=condvar,yield"}, every_policy()),
      every_policy({.opcodes = 10, .ns = 50'000}));
}

// Counts down from n in bytecode, from acquiring the GIL to releasing it.
void count(Gil& gil, UnderGil& self, const Code& code, int64_t n) {
  gil.acquire(self.thread);
  Interpreter(gil, self.thread).run(code, {&n, 1});
  gil.release(self.thread);
}

// --- every policy -------------------------------------------------------------------------------

class EveryPolicy : public testing::TestWithParam<std::string> {
 protected:
  std::unique_ptr<Gil> gil = make(GetParam());
};
INSTANTIATE_TEST_SUITE_P(Gil, EveryPolicy, testing::ValuesIn(all_policies()), name_of_policy);

TEST_P(EveryPolicy, WritesAnUncontendedPathOnTheBoard) {
  UnderGil self;
  EXPECT_EQ(self.slot.state, GILSCOPE_OUTSIDE);
  for (uint64_t round = 1; round <= 3; ++round) {
    gil->acquire(self.thread);
    EXPECT_EQ(self.slot.state, GILSCOPE_HOLDING);
    EXPECT_EQ(self.slot.acquires, round);
    EXPECT_EQ(self.slot.releases, round - 1);
    gil->release(self.thread);
    EXPECT_EQ(self.slot.state, GILSCOPE_OUTSIDE);
    EXPECT_EQ(self.slot.releases, round);
  }
  EXPECT_EQ(self.failed(), 0u);
  EXPECT_EQ(self.slot.drop_requests, 0u);
}

TEST_P(EveryPolicy, HoldsTheGilAgainAfterACheckpoint) {
  UnderGil self;
  gil->acquire(self.thread);
  gil->checkpoint(self.thread);
  EXPECT_EQ(self.slot.state, GILSCOPE_HOLDING);
  EXPECT_EQ(self.slot.acquires, self.slot.releases + 1);
  EXPECT_EQ(self.slot.acquires, descriptor_of(GetParam()).promises.always_releases ? 2u : 1u);
  gil->release(self.thread);
}

TEST_P(EveryPolicy, LetsOthersInAroundABlockingCall) {
  UnderGil self, other;
  bool entered = false;  // the GIL protects it
  StartBarrier has_been_in;
  gil->acquire(self.thread);
  std::thread thread([&] {
    gil->acquire(other.thread);
    entered = true;
    gil->release(other.thread);
    has_been_in.open();
  });
  if (has_one_owner(GetParam())) {
    other.await_waiting();  // also returns if it holds the GIL, which it must not
    EXPECT_FALSE(entered) << "two threads under one GIL";
  }
  {
    AllowThreads allow(*gil, self.thread);
    EXPECT_EQ(self.slot.state, GILSCOPE_OUTSIDE);
    has_been_in.wait();  // forever, if the other were not let in
  }
  EXPECT_EQ(self.slot.state, GILSCOPE_HOLDING);
  EXPECT_TRUE(entered);
  gil->release(self.thread);
  thread.join();
  EXPECT_EQ(self.slot.acquires, 2u);
  EXPECT_EQ(self.slot.releases, 2u);
}

TEST_P(EveryPolicy, EndsWithTheCountsInBalance) {
  constexpr int kThreads = 4;
  const Code code = counting_loop();
  const Crew crew =
      run_together(kThreads, [&](UnderGil& self) { count(*gil, self, code, 20'000); });
  for (const auto& member : crew) {
    const gilscope_slot& slot = member->slot;
    EXPECT_EQ(slot.state, GILSCOPE_OUTSIDE);
    EXPECT_GE(slot.acquires, 1u);
    EXPECT_EQ(slot.acquires, slot.releases);
    const PolicyDescriptor& policy = descriptor_of(GetParam());
    const FailureMeanings& can = policy.failures;
    // What the descriptor calls impossible does not happen.
    EXPECT_TRUE(!can.contended.empty() || slot.contended == 0) << slot.contended;
    EXPECT_TRUE(!can.woken_lost.empty() || slot.woken_lost == 0) << slot.woken_lost;
    EXPECT_TRUE(!can.timed_out.empty() || slot.timed_out == 0) << slot.timed_out;
    EXPECT_TRUE(!can.drop_requests.empty() || slot.drop_requests == 0) << slot.drop_requests;
    EXPECT_LE(slot.drop_requests, member->failed()) << "asked for, without waiting";
    if (is_one_of(GetParam(), {"switch-interval", "gvl-handoff"})) {
      // A timed wait that timed out is counted, whether or not it led to a drop request.
      EXPECT_LE(slot.drop_requests, slot.timed_out);
    }
    if (GetParam() == "none") {
      EXPECT_EQ(slot.acquires, 1u);
    }
    if (policy.promises.contended_once || GetParam().find("lock=condvar") != std::string::npos) {
      EXPECT_LE(slot.contended, slot.acquires);
    }
  }
}

// --- mutual exclusion ---------------------------------------------------------------------------

constexpr int kIncrementers = 8;
constexpr int64_t kIncrements = GILSCOPE_UNDER_TSAN   ? 100'000
                                : GILSCOPE_UNDER_ASAN ? 1'000'000
                                                      : 10'000'000;

class LockedPolicy : public testing::TestWithParam<std::string> {};
// They check rarely: where the machine has other work, a sched_yield may cost a time slice of it,
// and in a lock that hands over each check is a switch. Those that bear it also check often.
INSTANTIATE_TEST_SUITE_P(
    Gil, LockedPolicy,
    testing::ValuesIn(joined({kSemaphore, kCondvar, "check-interval:0",
                              "check-interval:5000,lock=condvar,yield", "switch-interval:50us",
                              "switch-interval:50us,flag=thread", "pypy:1000", "priority:50us"},
                             with_one_owner(every_policy({.opcodes = 5000, .ns = 1'000'000})))),
    name_of_policy);

TEST_P(LockedPolicy, LosesNoIncrementOfAnUnprotectedCounter) {
  // With a check at every counted opcode, each increment is four contended turns of the GIL.
  const int64_t increments = kIncrements / (GetParam() == "check-interval:0" ? 20 : 1);
  const auto gil = make(GetParam());
  int64_t counter = 0;  // plain, so that ThreadSanitizer judges the policy too
  const Code code = calling_loop([&counter] { ++counter; });
  run_together(kIncrementers,
               [&](UnderGil& self) { count(*gil, self, code, increments / kIncrementers); });
  EXPECT_EQ(counter, increments);
}

TEST(NoLock, LosesIncrementsOfAnUnprotectedCounter) {
  // If this counter were exact too, the test above would prove nothing. Whether two threads meet
  // within an increment depends on the machine; on a shared CPU it takes a switch at the right
  // moment.
  constexpr int kAttempts = 200;
  int64_t lost = 0;
  for (int attempt = 0; attempt < kAttempts && lost == 0; ++attempt) {
    const auto gil = make("none");
    // Relaxed atomics, because a data race on a plain integer would be undefined behaviour.
    std::atomic<int64_t> counter{0};
    constexpr auto kRelaxed = std::memory_order_relaxed;
    const Code code = calling_loop([&] { counter.store(counter.load(kRelaxed) + 1, kRelaxed); });
    run_together(kIncrementers,
                 [&](UnderGil& self) { count(*gil, self, code, kIncrements / kIncrementers); });
    EXPECT_LE(counter.load(), kIncrements);
    lost = kIncrements - counter.load();
  }
  EXPECT_GT(lost, 0);
}

// --- check-interval: a check every interval + 1 counted opcodes ---------------------------------

struct Checking {
  int32_t interval;
  int64_t n;
};

class CheckIntervalAlone : public testing::TestWithParam<Checking> {};

constexpr int64_t kMany = GILSCOPE_UNDER_TSAN || GILSCOPE_UNDER_ASAN ? 20'000 : 1'000'000;
INSTANTIATE_TEST_SUITE_P(
    Gil, CheckIntervalAlone,
    testing::Values(Checking{100, kMany}, Checking{100, kMany - 1}, Checking{100, 0},
                    Checking{100, 32}, Checking{100, 33}, Checking{0, kMany}, Checking{0, 0},
                    Checking{1, kMany}, Checking{2, kMany}, Checking{99, kMany},
                    Checking{101, kMany}, Checking{1000, kMany}, Checking{INT32_MAX, kMany}),
    [](const auto& info) {
      return "every" + std::to_string(info.param.interval) + "_n" + std::to_string(info.param.n);
    });

TEST_P(CheckIntervalAlone, AcquiresAsOftenAsPython27) {
  const auto [interval, n] = GetParam();
  const auto gil = make("check-interval:" + std::to_string(interval));
  UnderGil self;
  count(*gil, self, counting_loop(), n);
  // SETUP_LOOP; then COMPARE_OP, INPLACE_SUBTRACT and JUMP_ABSOLUTE in each iteration; finally
  // COMPARE_OP again, and POP_BLOCK.
  const int64_t counted = 1 + 3 * n + 2;
  // One at the start, one because the ticker starts at 0, and one each time it runs out.
  EXPECT_EQ(self.slot.acquires, static_cast<uint64_t>(2 + counted / (int64_t{interval} + 1)));
  EXPECT_EQ(self.slot.releases, self.slot.acquires);
  EXPECT_EQ(self.failed(), 0u);
}

TEST(CheckInterval, TicksForAllThreadsTogether) {
  const auto gil = make("check-interval:100");
  UnderGil first, second;
  const Code code = counting_loop();
  count(*gil, first, code, 0);
  EXPECT_EQ(first.slot.acquires, 2u);
  count(*gil, second, code, 10);
  EXPECT_EQ(second.slot.acquires, 1u) << "a second thread started with a ticker of its own";
}

TEST(CheckInterval, WorksTheSameOnEitherLockAndWithYield) {
  uint64_t expected = 0;
  for (const char* variant : {"", ",lock=condvar", ",yield", ",lock=condvar,yield"}) {
    const auto gil = make(std::string(kSemaphore) + variant);
    UnderGil self;
    count(*gil, self, counting_loop(), 10'000);
    if (!expected) expected = self.slot.acquires;
    EXPECT_EQ(self.slot.acquires, expected) << variant;
  }
}

TEST(CheckInterval, HandsNothingOver) {
  // Each release wakes a waiter, but the holder may take the GIL back first: the wasted wakeups
  // that gilscope is about. A lock that hands over would let the waiter in every time.
  constexpr int kThreads = 6;
  constexpr uint64_t kRounds = 20'000;
  for (const char* policy : {kSemaphore, kCondvar}) {
    const auto gil = make(policy);
    std::atomic<uint64_t> lost{0};
    run_together(kThreads, [&](UnderGil& self) {
      gil->acquire(self.thread);
      while (lost == 0 && self.slot.acquires < kRounds) {
        std::this_thread::yield();  // with the GIL held: lets the others find it taken
        gil->checkpoint(self.thread);
        if (self.slot.woken_lost) lost = self.slot.woken_lost;
      }
      gil->release(self.thread);
    });
    EXPECT_GT(lost, 0u) << policy;
  }
}

// --- a waiter requests a drop; the holder drops the GIL, and waits until it has been taken -------

class AskingPolicy : public testing::TestWithParam<std::string> {
 protected:
  std::unique_ptr<Gil> gil = make(GetParam());
};
INSTANTIATE_TEST_SUITE_P(
    Gil, AskingPolicy,
    testing::ValuesIn(
        with(joined({"switch-interval:5ms", "switch-interval:50us",
                     "switch-interval:5ms,flag=thread", "switch-interval:50us,flag=thread"},
                    every_policy({.opcodes = 1000, .ns = 1'000'000})),
             [](const PolicyDescriptor& policy) { return policy.promises.gives_way; })),
    name_of_policy);

TEST_P(AskingPolicy, MakesNoCheckpointWhenAlone) {
  UnderGil self;
  count(*gil, self, counting_loop(), kMany);
  EXPECT_EQ(self.slot.acquires, 1u);
  EXPECT_EQ(self.slot.releases, 1u);
}

TEST_P(AskingPolicy, SeesDropRequestsBetweenComputingThreads) {
  const Code code = counting_loop();
  constexpr int64_t kN = 1000;
  constexpr int kChunks = 50'000;
  uint64_t requests = 0;  // the GIL protects it
  run_together(2, [&](UnderGil& self) {
    gil->acquire(self.thread);
    Interpreter interpreter(*gil, self.thread);
    for (int chunk = 0; chunk < kChunks && requests < 4; ++chunk) {
      const uint64_t before = self.slot.drop_requests;
      interpreter.run(code, {&kN, 1});
      requests += self.slot.drop_requests - before;
    }
    gil->release(self.thread);
  });
  EXPECT_GE(requests, 4u);
}

TEST_P(AskingPolicy, AsksTheHolder) {
  UnderGil holder, waiter;
  gil->acquire(holder.thread);
  std::thread thread([&] {
    gil->acquire(waiter.thread);
    gil->release(waiter.thread);
  });
  while (!UnderGil::seen(waiter.slot.drop_requests)) std::this_thread::yield();
  EXPECT_EQ(waiter.state(), static_cast<uint32_t>(GILSCOPE_WAITING));
  EXPECT_NE(gil->breaker(holder.thread), 0);
  const bool shared = &gil->breaker(holder.thread) == &gil->breaker(waiter.thread);
  EXPECT_EQ(gil->breaker(waiter.thread) == 0, !shared);

  gil->checkpoint(holder.thread);
  EXPECT_GE(UnderGil::seen(waiter.slot.acquires), 1u) << "the dropper took it back first";
  EXPECT_EQ(gil->breaker(holder.thread), 0) << "the request outlived the drop";
  gil->release(holder.thread);
  thread.join();
  EXPECT_EQ(waiter.slot.contended, 1u);
  EXPECT_GE(waiter.slot.timed_out, waiter.slot.drop_requests);
  EXPECT_EQ(waiter.slot.acquires, 1u);
}

TEST(SwitchInterval, HasOneFlagOrOneAThread) {
  UnderGil first, second;
  for (const char* option : {"", ",flag=thread"}) {
    const auto gil = make(std::string("switch-interval:5ms") + option);
    const bool shared = &gil->breaker(first.thread) == &gil->breaker(second.thread);
    EXPECT_EQ(shared, std::string_view(option).empty());
  }
}

TEST_P(AskingPolicy, GivesTheGilToAnotherBeforeTheDropperHasItBack) {
  constexpr int kThreads = 3, kSwitches = 30;
  // The GIL protects both.
  int switches = 0;
  const UnderGil* last = nullptr;
  int broken = 0;
  run_together(kThreads, [&](UnderGil& self) {
    gil->acquire(self.thread);
    last = &self;
    while (switches < kSwitches) {
      if (gil->breaker(self.thread).load(std::memory_order_relaxed) == 0) continue;
      gil->checkpoint(self.thread);
      broken += last == &self;
      last = &self;
      ++switches;
    }
    gil->release(self.thread);
  });
  EXPECT_EQ(broken, 0) << "of " << switches << " requested drops";
}

TEST_P(AskingPolicy, DoesNotWaitAfterADropThatNobodyAskedFor) {
  UnderGil self;
  gil->acquire(self.thread);
  gil->checkpoint(self.thread);  // forever, if it waited: there is no other thread
  gil->release(self.thread);
  EXPECT_EQ(self.slot.acquires, descriptor_of(GetParam()).promises.always_releases ? 2u : 1u);
}

}  // namespace
}  // namespace gilscope
