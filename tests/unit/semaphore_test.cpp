// Our own semaphore compared with sem_t, whose algorithm it copies, and its counts of failed
// attempts compared with the kernel's count of sleeps.
#include "userspace/gil/semaphore.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <semaphore.h>
#include <sys/resource.h>

#include <random>

#include "tests/unit/under_gil.h"

namespace gilscope {
namespace {

class Ours {
 public:
  explicit Ours(uint32_t value) : semaphore_(value) {}
  void wait(UnderGil& self) { semaphore_.wait(self.thread.board); }
  void post() { semaphore_.post(); }

 private:
  Semaphore semaphore_;
};

class Glibcs {
 public:
  explicit Glibcs(uint32_t value) { sem_init(&semaphore_, 0, value); }
  ~Glibcs() { sem_destroy(&semaphore_); }
  Glibcs(const Glibcs&) = delete;
  Glibcs& operator=(const Glibcs&) = delete;
  void wait(UnderGil&) {
    while (sem_wait(&semaphore_)) {
    }
  }
  void post() { sem_post(&semaphore_); }

 private:
  sem_t semaphore_;
};

template <typename T>
class SemaphoreOf : public testing::Test {};
using Both = testing::Types<Ours, Glibcs>;
TYPED_TEST_SUITE(SemaphoreOf, Both);

// A random sequence of posts and of threads that wait. After each step, exactly as many waits have
// ended as the posted values allow.
TYPED_TEST(SemaphoreOf, LetsAsManyWaitsEndAsItWasPosted) {
  constexpr int kInitial = 2, kSteps = 200;
  TypeParam semaphore(kInitial);
  std::minstd_rand random(20081120);  // the same sequence on every machine
  Crew crew;
  std::vector<std::thread> threads;
  std::atomic<int> over{0};
  int posts = 0;
  auto settle = [&] {
    const int expected = std::min(kInitial + posts, static_cast<int>(threads.size()));
    while (over < expected) std::this_thread::yield();
    EXPECT_EQ(over, expected);
  };
  auto post = [&] {
    ++posts;
    semaphore.post();
    settle();
  };
  for (int step = 0; step < kSteps; ++step) {
    if (random() % 2) {
      post();
    } else {
      crew.push_back(std::make_unique<UnderGil>());
      threads.emplace_back([&, self = crew.back().get()] {
        semaphore.wait(*self);
        ++over;
      });
      settle();
    }
  }
  while (kInitial + posts < static_cast<int>(threads.size())) post();
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(over, static_cast<int>(threads.size()));

  // Unused posts are still there: that many waits do not sleep.
  UnderGil self;
  for (int rest = kInitial + posts - over; rest > 0; --rest) semaphore.wait(self);
  EXPECT_EQ(self.failed(), 0u);
}

constexpr int kThreads = 6;
constexpr int64_t kRounds = GILSCOPE_UNDER_TSAN ? 3000 : 100'000;

TYPED_TEST(SemaphoreOf, OfOneExcludesAllOthers) {
  TypeParam semaphore(1);
  int64_t counter = 0;  // not atomic: the semaphore protects it
  run_together(kThreads, [&](UnderGil& self) {
    for (int64_t i = 0; i < kRounds; ++i) {
      semaphore.wait(self);
      ++counter;
      semaphore.post();
    }
  });
  EXPECT_EQ(counter, kThreads * kRounds);
}

TEST(Semaphore, CountsNoFailureWhereItFindsAValue) {
  Semaphore semaphore(3);
  UnderGil self;
  for (int i = 0; i < 3; ++i) semaphore.wait(self.thread.board);
  semaphore.post();
  semaphore.wait(self.thread.board);
  EXPECT_EQ(self.failed(), 0u);
  EXPECT_EQ(self.slot.state, GILSCOPE_OUTSIDE) << "only a sleeping thread is marked as waiting";
}

TEST(Semaphore, CountsOneFailureForEachWaitThatFindsItEmpty) {
  constexpr int kWaits = 50;
  Semaphore semaphore(0);
  UnderGil waiter;
  std::atomic<int> over{0};
  std::thread thread([&] {
    while (over < kWaits) {
      semaphore.wait(waiter.thread.board);
      waiter.thread.board.outside();
      ++over;
    }
  });
  for (int wait = 0; wait < kWaits; ++wait) {
    while (UnderGil::seen(waiter.slot.contended) <= static_cast<uint64_t>(wait)) {
      std::this_thread::yield();
    }
    EXPECT_EQ(waiter.state(), static_cast<uint32_t>(GILSCOPE_WAITING));
    semaphore.post();
    while (over <= wait) std::this_thread::yield();
  }
  thread.join();
  EXPECT_EQ(waiter.slot.contended, static_cast<uint64_t>(kWaits));
  EXPECT_EQ(waiter.slot.woken_lost, 0u) << "there was no other thread to lose to";
}

#if !GILSCOPE_UNDER_TSAN  // ThreadSanitizer's own locks sleep as well

uint64_t sleeps_of_this_thread() {
  rusage usage;
  getrusage(RUSAGE_THREAD, &usage);
  return static_cast<uint64_t>(usage.ru_nvcsw);
}

TEST(Semaphore, CountsItsWaitsAsTheKernelDoes) {
  constexpr uint64_t kEnough = 200, kMostRounds = 50'000;
  Semaphore semaphore(1);
  std::atomic<uint64_t> slept{0}, lost{0};
  const Crew crew = run_together(kThreads, [&](UnderGil& self) {
    const uint64_t before = sleeps_of_this_thread();
    for (uint64_t i = 0; i < kMostRounds && lost < kEnough; ++i) {
      const uint64_t lost_before = self.slot.woken_lost;
      semaphore.wait(self.thread.board);
      lost += self.slot.woken_lost - lost_before;
      // Lets others find it taken; for the kernel this is not a sleep. After the post, this thread
      // usually takes it again before the thread that the post woke.
      sched_yield();
      semaphore.post();
    }
    slept += sleeps_of_this_thread() - before;
  });
  uint64_t contended = 0, woken_lost = 0;
  for (const auto& member : crew) {
    contended += member->slot.contended;
    woken_lost += member->slot.woken_lost;
  }
  EXPECT_GE(woken_lost, kEnough) << "it hands over, or does not distinguish the kinds of failure";
  // Each sleep was a failed attempt; a failed attempt may not have slept, if a post came first.
  // Page faults that wait for I/O are sleeps too, hence the allowance.
  constexpr uint64_t kAllowance = 20;
  EXPECT_LE(slept, contended + woken_lost + kAllowance);
  // A thread that lost after a wakeup had slept before it.
  EXPECT_LE(woken_lost, slept);
}

#endif

}  // namespace
}  // namespace gilscope
