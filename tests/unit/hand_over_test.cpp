// Policies that hand over, such as fifo and gvl-handoff: the next waiter in the queue owns the GIL
// before it is woken. Therefore waiters are served in order of arrival, and no wakeup is wasted.
#include <gtest/gtest.h>

#include <functional>

#include "tests/every_policy.h"
#include "tests/unit/under_gil.h"
#include "userspace/eval/interpreter.h"
#include "userspace/eval/programs.h"

namespace gilscope {
namespace {

class HandingOver : public testing::TestWithParam<std::string> {
 protected:
  std::unique_ptr<Gil> gil = *make_gil(GetParam());
};
INSTANTIATE_TEST_SUITE_P(Gil, HandingOver,
                         testing::ValuesIn(with(every_policy({.opcodes = 10, .ns = 10'000'000}),
                                                std::mem_fn(&PolicyDescriptor::hands_over))),
                         name_of_policy);

TEST_P(HandingOver, ServesWaitersInTheOrderInWhichTheyCame) {
  constexpr int kWaiters = 3, kRounds = 10;
  for (int round = 0; round < kRounds; ++round) {
    UnderGil holder;
    Crew waiters;
    std::vector<std::thread> threads;
    std::vector<int> served;  // the GIL protects it
    gil->acquire(holder.thread);
    for (int i = 0; i < kWaiters; ++i) {
      waiters.push_back(std::make_unique<UnderGil>());
      threads.emplace_back([&served, &gil = *gil, &self = *waiters.back(), i] {
        gil.acquire(self.thread);
        served.push_back(i);
        gil.release(self.thread);
      });
      waiters.back()->await_waiting();
    }
    EXPECT_TRUE(served.empty());
    gil->release(holder.thread);
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(served, (std::vector{0, 1, 2}));
  }
}

TEST_P(HandingOver, LetsNobodyInBetween) {
  // The releaser comes back at once; the waiter gets the GIL nevertheless. Many rounds, because
  // without a hand-over the waiter would still win now and then.
  constexpr int kRounds = 200;
  UnderGil holder, waiter;
  int served = 0, too_late = 0;  // the GIL protects them
  gil->acquire(holder.thread);
  for (int round = 1; round <= kRounds; ++round) {
    const uint64_t before = waiter.slot.contended;
    std::thread thread([&] {
      gil->acquire(waiter.thread);
      served = round;
      gil->release(waiter.thread);
    });
    while (UnderGil::seen(waiter.slot.contended) == before) std::this_thread::yield();
    gil->release(holder.thread);
    gil->acquire(holder.thread);
    too_late += served != round;
    thread.join();
  }
  gil->release(holder.thread);
  EXPECT_EQ(too_late, 0) << "of " << kRounds;
}

TEST_P(HandingOver, WakesNobodyForNothing) {
  constexpr int kThreads = 8, kTurns = 20;
  constexpr int64_t kN = GILSCOPE_UNDER_TSAN || GILSCOPE_UNDER_ASAN ? 200 : 2'000;
  const Code code = counting_loop();
  uint64_t failed = 0;
  for (const auto& member : run_together(kThreads, [&](UnderGil& self) {
         gil->acquire(self.thread);
         for (int turn = 0; turn < kTurns; ++turn) {
           Interpreter(*gil, self.thread).run(code, {&kN, 1});
           std::this_thread::yield();  // with the GIL held: lets the others find it taken
           AllowThreads allow(*gil, self.thread);
         }
         gil->release(self.thread);
       })) {
    EXPECT_EQ(member->slot.woken_lost, 0u);
    EXPECT_EQ(member->slot.timed_out, member->slot.drop_requests);
    failed += member->failed();
  }
  EXPECT_GT(failed, 0u) << "the threads never met, so this showed nothing";
}

TEST(Fifo, ReleasesAsOftenAsCheckInterval) {
  uint64_t acquires[2];
  for (int i = 0; i < 2; ++i) {
    const auto gil = *make_gil(i == 0 ? "fifo:100" : "check-interval:100");
    constexpr int64_t kN = 10'000;
    UnderGil self;
    gil->acquire(self.thread);
    Interpreter(*gil, self.thread).run(counting_loop(), {&kN, 1});
    gil->release(self.thread);
    acquires[i] = self.slot.acquires;
  }
  EXPECT_GT(acquires[0], 2u);
  EXPECT_EQ(acquires[0], acquires[1]);
}

TEST(GvlHandoff, YieldsWhenItsTicksMakeUpTheQuantum) {
  // Ticks come every 10 ms: the third makes 30 ms.
  const auto gil = *make_gil("gvl-handoff:30ms");
  UnderGil holder, waiter;
  gil->acquire(holder.thread);
  std::thread thread([&] {
    gil->acquire(waiter.thread);
    gil->release(waiter.thread);
  });
  for (int tick = 1; tick <= 3; ++tick) {
    while (gil->breaker(holder.thread) == 0 && UnderGil::seen(waiter.slot.acquires) == 0) {
      std::this_thread::yield();
    }
    EXPECT_EQ(UnderGil::seen(waiter.slot.acquires), 0u) << "before tick " << tick;
    EXPECT_GE(UnderGil::seen(waiter.slot.timed_out), static_cast<uint64_t>(tick));
    gil->checkpoint(holder.thread);
  }
  EXPECT_EQ(UnderGil::seen(waiter.slot.acquires), 1u);
  gil->release(holder.thread);
  thread.join();
}

TEST(GvlHandoff, AlwaysHasSomebodyToKeepTheTime) {
  // The timekeeper is handed the GVL by a thread that leaves, and must get ticks itself.
  const auto gil = *make_gil("gvl-handoff:10ms");
  Crew crew;
  std::vector<std::thread> threads;
  std::atomic<int> ticked{0};
  UnderGil holder;
  gil->acquire(holder.thread);
  for (int i = 0; i < 3; ++i) {
    crew.push_back(std::make_unique<UnderGil>());
    threads.emplace_back([&gil = *gil, &ticked, &self = *crew.back(), last = i == 2] {
      gil.acquire(self.thread);
      // The last thread has no waiter behind it.
      while (!last && gil.breaker(self.thread) == 0) std::this_thread::yield();
      ++ticked;
      gil.release(self.thread);
    });
    crew.back()->await_waiting();
  }
  gil->release(holder.thread);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(ticked, 3);
}

}  // namespace
}  // namespace gilscope
