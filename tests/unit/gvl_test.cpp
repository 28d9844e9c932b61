// gvl: one waiter is the timer, and a yielding thread lets a waiter go first.
#include <gtest/gtest.h>

#include "tests/unit/under_gil.h"

namespace gilscope {
namespace {

TEST(Gvl, HasOneTimerAmongItsWaiters) {
  constexpr int kWaiters = 4;
  const auto gil = *make_gil("gvl:1ms");
  UnderGil holder;
  Crew waiters;
  std::vector<std::thread> threads;
  gil->acquire(holder.thread);
  for (int i = 0; i < kWaiters; ++i) {
    waiters.push_back(std::make_unique<UnderGil>());
    threads.emplace_back([&gil = *gil, &self = *waiters.back()] {
      gil.acquire(self.thread);
      gil.release(self.thread);
    });
    waiters.back()->await_waiting();
  }
  // The first waiter is the timer.
  while (UnderGil::seen(waiters[0]->slot.timed_out) < 3) std::this_thread::yield();
  for (int i = 1; i < kWaiters; ++i) {
    EXPECT_EQ(UnderGil::seen(waiters[i]->slot.contended), 1u);
    EXPECT_EQ(waiters[i]->failed(), 1u) << "a second timer";
    EXPECT_EQ(UnderGil::seen(waiters[i]->slot.drop_requests), 0u);
  }
  EXPECT_GE(UnderGil::seen(waiters[0]->slot.drop_requests), 2u);
  EXPECT_NE(gil->breaker(holder.thread), 0);
  gil->release(holder.thread);
  for (std::thread& thread : threads) thread.join();
}

TEST(Gvl, YieldsToOneThatHasQueued) {
  // No quantum expires here: only the yield lets the waiter in.
  constexpr int kRounds = 50;
  const auto gil = *make_gil("gvl:60s");
  UnderGil holder;
  gil->acquire(holder.thread);
  for (int round = 0; round < kRounds; ++round) {
    UnderGil waiter;
    std::thread thread([&] {
      gil->acquire(waiter.thread);
      gil->release(waiter.thread);
    });
    waiter.await_waiting();
    gil->checkpoint(holder.thread);
    EXPECT_EQ(UnderGil::seen(waiter.slot.acquires), 1u) << "the yielder took it back first";
    AllowThreads allow(*gil, holder.thread);
    thread.join();
  }
  gil->release(holder.thread);
}

}  // namespace
}  // namespace gilscope
