// pypy: two locks, and one waiter at a time that steals.
#include <gtest/gtest.h>

#include "tests/unit/under_gil.h"

namespace gilscope {
namespace {

class PypyWaiters : public testing::Test {
 protected:
  static constexpr int kWaiters = 4;

  void SetUp() override {
    gil_->acquire(holder_.thread);
    for (int i = 0; i < kWaiters; ++i) {
      waiters_.push_back(std::make_unique<UnderGil>());
      threads_.emplace_back([this, &self = *waiters_.back()] {
        gil_->acquire(self.thread);
        gil_->release(self.thread);
      });
    }
    for (const auto& waiter : waiters_) waiter->await_waiting();
  }
  void join() {
    for (std::thread& thread : threads_) thread.join();
  }
  // The waiter whose waits time out.
  UnderGil* stealer() {
    for (const auto& waiter : waiters_) {
      if (UnderGil::seen(waiter->slot.timed_out) > 0) return waiter.get();
    }
    return nullptr;
  }
  UnderGil& await_stealer() {
    while (!stealer()) std::this_thread::yield();
    return *stealer();
  }

  std::unique_ptr<Gil> gil_ = *make_gil("pypy:10000");
  UnderGil holder_;
  Crew waiters_;
  std::vector<std::thread> threads_;
};

TEST_F(PypyWaiters, HaveOneStealerAtATime) {
  UnderGil& stealer = await_stealer();
  while (UnderGil::seen(stealer.slot.timed_out) < 20) std::this_thread::yield();
  for (const auto& waiter : waiters_) {
    if (waiter.get() == &stealer) continue;
    EXPECT_EQ(UnderGil::seen(waiter->slot.contended), 1u);
    EXPECT_EQ(UnderGil::seen(waiter->slot.woken_lost), 0u);
    EXPECT_EQ(UnderGil::seen(waiter->slot.timed_out), 0u) << "a second stealer";
  }
  gil_->release(holder_.thread);
  join();
  for (const auto& waiter : waiters_) {
    EXPECT_EQ(waiter->slot.acquires, 1u);
    EXPECT_EQ(waiter->slot.drop_requests, 0u);
  }
}

TEST_F(PypyWaiters, HaveTheGilGivenToTheStealer) {
  UnderGil& stealer = await_stealer();
  gil_->checkpoint(holder_.thread);
  EXPECT_EQ(UnderGil::seen(stealer.slot.acquires), 1u);
  EXPECT_EQ(holder_.slot.acquires, 2u);
  gil_->release(holder_.thread);
  join();
}

TEST(Pypy, KeepsTheGilWhereNobodyWaits) {
  const auto gil = *make_gil("pypy:10000");
  UnderGil self;
  gil->acquire(self.thread);
  gil->checkpoint(self.thread);
  gil->release(self.thread);
  EXPECT_EQ(self.slot.acquires, 1u);
}

}  // namespace
}  // namespace gilscope
