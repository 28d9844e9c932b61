// bfs and priority: the GIL goes to the waiter with the highest rank, not to the first one.
#include <gtest/gtest.h>

#include "tests/unit/under_gil.h"

namespace gilscope {
namespace {

// Threads that request the GIL one after the other, each once the previous one waits, and the order
// in which they get it.
class InLine {
 public:
  explicit InLine(Gil& gil) : gil_(gil) {}

  void add(const char* name, UnderGil& self) {
    const uint64_t before = UnderGil::seen(self.slot.contended);
    threads_.emplace_back([this, name, &self] {
      gil_.acquire(self.thread);
      served_.push_back(name);
      gil_.release(self.thread);
    });
    while (UnderGil::seen(self.slot.contended) == before) std::this_thread::yield();
  }

  std::vector<std::string> join() {
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
    return served_;
  }

 private:
  Gil& gil_;
  std::vector<std::thread> threads_;
  std::vector<std::string> served_;  // the GIL protects it
};

using Order = std::vector<std::string>;

// --- priority -----------------------------------------------------------------------------------

void block_often(Gil& gil, UnderGil& self) {
  gil.acquire(self.thread);
  for (int i = 0; i < 5; ++i) AllowThreads allow(gil, self.thread);
  gil.release(self.thread);
}

TEST(Priority, GoesToTheOneThatReleasesVoluntarilyBeforeTheComputingOne) {
  const auto gil = *make_gil("priority:60s");
  UnderGil holder, computing, blocking;
  block_often(*gil, blocking);
  InLine line(*gil);
  gil->acquire(holder.thread);
  line.add("computing", computing);
  EXPECT_EQ(gil->breaker(holder.thread), 0) << "an equal must wait until the holder's time is over";
  line.add("blocking", blocking);
  EXPECT_NE(gil->breaker(holder.thread), 0);
  gil->release(holder.thread);
  EXPECT_EQ(line.join(), (Order{"blocking", "computing"}));
  EXPECT_EQ(blocking.slot.drop_requests, 1u);
  EXPECT_EQ(blocking.slot.timed_out, 0u);
  EXPECT_EQ(computing.slot.drop_requests, 0u);
}

TEST(Priority, SinksWhenTimedOut) {
  const auto gil = *make_gil("priority:1ms");
  UnderGil timed_out, fresh, asking, holder;
  InLine line(*gil);
  gil->acquire(timed_out.thread);
  line.add("asking", asking);
  while (gil->breaker(timed_out.thread) == 0) std::this_thread::yield();
  gil->checkpoint(timed_out.thread);
  gil->release(timed_out.thread);

  gil->acquire(holder.thread);
  line.add("timed out", timed_out);
  line.add("fresh", fresh);
  gil->release(holder.thread);
  EXPECT_EQ(line.join(), (Order{"asking", "fresh", "timed out"}));
}

// `waiter` requests the GIL each time, and gets it.
void time_out(Gil& gil, UnderGil& self, UnderGil& waiter, int times) {
  gil.acquire(self.thread);
  for (int i = 0; i < times; ++i) {
    InLine line(gil);
    line.add("waiter", waiter);
    while (gil.breaker(self.thread) == 0) std::this_thread::yield();
    const uint64_t before = UnderGil::seen(waiter.slot.acquires);
    gil.checkpoint(self.thread);
    if (UnderGil::seen(waiter.slot.acquires) == before) {
      gil.release(self.thread);  // or the waiter would wait forever
      line.join();
      FAIL() << "the dropper took it back first";
    }
    line.join();
  }
  gil.release(self.thread);
}

TEST(Priority, GivesWayAlsoToAnEqual) {
  // At the lowest rank neither sinks below the other, and a dropped GIL must still change hands.
  const auto gil = *make_gil("priority:1ms");
  UnderGil first, second;
  for (int step = 0; step < 3; ++step) {
    time_out(*gil, first, second, 1);
    time_out(*gil, second, first, 1);
  }
  time_out(*gil, first, second, 20);
}

TEST(Priority, OfEqualsTheFirstComesFirst) {
  const auto gil = *make_gil("priority:60s");
  UnderGil holder, first, second, third;
  InLine line(*gil);
  gil->acquire(holder.thread);
  line.add("first", first);
  line.add("second", second);
  line.add("third", third);
  gil->release(holder.thread);
  EXPECT_EQ(line.join(), (Order{"first", "second", "third"}));
}

TEST(Priority, LetsTheOthersInAlthoughOneKeepsComingBack) {
  // It ranks above all others and never sleeps: it must give way once its time is over.
  const auto gil = *make_gil("priority:1ms");
  UnderGil restless, other;
  block_often(*gil, restless);
  InLine line(*gil);
  gil->acquire(restless.thread);
  line.add("other", other);
  while (UnderGil::seen(other.slot.acquires) == 0) {
    AllowThreads allow(*gil, restless.thread);
  }
  gil->release(restless.thread);
  EXPECT_EQ(line.join(), Order{"other"});
}

// --- bfs ----------------------------------------------------------------------------------------

// Its slice begins, and its deadline is set, before those of all later threads.
void begin_slice(Gil& gil, UnderGil& self) {
  gil.acquire(self.thread);
  gil.release(self.thread);
}

TEST(Bfs, IsPreemptedByAnEarlierDeadline) {
  const auto gil = *make_gil("bfs");
  UnderGil computing, blocking;
  begin_slice(*gil, blocking);
  InLine line(*gil);
  gil->acquire(computing.thread);
  line.add("blocking", blocking);
  EXPECT_GE(UnderGil::seen(blocking.slot.drop_requests), 1u);
  gil->checkpoint(computing.thread);
  EXPECT_EQ(computing.slot.acquires, 2u);
  EXPECT_EQ(UnderGil::seen(blocking.slot.acquires), 2u);
  gil->release(computing.thread);
  line.join();
}

TEST(Bfs, IsNotPreemptedByALaterDeadline) {
  // Unless its slice is used up: on a busy machine 10 ms may pass before the other arrives.
  constexpr int kAttempts = 50;
  bool kept = false;
  for (int attempt = 0; attempt < kAttempts && !kept; ++attempt) {
    const auto gil = *make_gil("bfs");
    UnderGil early, late, between;
    begin_slice(*gil, early);
    begin_slice(*gil, between);  // so that virtual time advances
    InLine line(*gil);
    gil->acquire(early.thread);
    line.add("late", late);
    gil->checkpoint(early.thread);
    kept = early.slot.acquires == 2;
    gil->release(early.thread);
    line.join();
  }
  EXPECT_TRUE(kept);
}

TEST(Bfs, GoesToTheEarliestDeadline) {
  const auto gil = *make_gil("bfs");
  UnderGil early, late, holder;
  begin_slice(*gil, early);
  InLine line(*gil);
  gil->acquire(holder.thread);
  line.add("late", late);
  line.add("early", early);
  gil->release(holder.thread);
  EXPECT_EQ(line.join(), (Order{"early", "late"}));
}

}  // namespace
}  // namespace gilscope
