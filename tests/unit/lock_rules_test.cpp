// The rules by which failed attempts to get a lock of glibc's are told apart (bpf/lock.h), on
// sequences of what can be seen of a thread, and what the words of each sort of lock say.
#include <gtest/gtest.h>

#include <array>

#include "bpf/attempt.h"
#include "bpf/lock.h"

namespace gilscope {
namespace {

constexpr uint64_t kLock = 0x10000;

gilscope_gil lock_of(gilscope_gil_kind kind) {
  gilscope_gil lock = {};
  lock.kind = kind;
  lock.condition = lock.words = kLock;
  lock.signals_at = 40;
  return lock;
}

using Bytes = std::array<uint32_t, GILSCOPE_LOCK_WORDS>;

gilscope_lock_state words_of(gilscope_gil_kind kind, const Bytes& bytes) {
  const gilscope_gil lock = lock_of(kind);
  gilscope_lock_state words = {};
  gilscope_lock_words(&lock, bytes.data(), &words);
  return words;
}

bool plausible(gilscope_gil_kind kind, const Bytes& bytes) {
  const gilscope_gil lock = lock_of(kind);
  return gilscope_lock_plausible(&lock, bytes.data()) != 0;
}

// A thread, told what happens to it in order, and those that sleep beside it.
class Sequence {
 public:
  explicit Sequence(gilscope_gil_kind kind = GILSCOPE_LOCK_MUTEX) : kind_(kind) {}

  gilscope_outcome sleeps_for_lock(uint64_t deadline = 0, bool left_the_call = false) {
    gilscope_sight sight = {.place = GILSCOPE_AT_GIL, .asleep = 1, .deadline = deadline};
    sight.ticked = left_the_call;
    sight.unreleased = gilscope_lock_slept_for(&watch, waiter.reference) != 0;
    return out(sight);
  }
  gilscope_outcome sleeps_elsewhere() { return out({.place = GILSCOPE_AT_ANOTHER, .asleep = 1}); }
  gilscope_outcome is_preempted(bool mine) { return out({.mine = mine}); }
  gilscope_outcome out(const gilscope_sight& sight) {
    return gilscope_lock_switch_out(kind_, &waiter, &sight);
  }
  void woken(uint8_t wakes, uint64_t at_ns) {
    waiter.woken = gilscope_woken_by(&waiter, wakes, at_ns);
    waiter.woken_ns = at_ns;
    gilscope_lock_switch_in(&waiter, &watch, 0, at_ns + 1);
  }

  gilscope_waiter waiter = {};
  gilscope_gil_watch watch = {};

 private:
  gilscope_gil_kind kind_;
};

bool undecided(const gilscope_outcome& outcome) {
  return outcome.seen & GILSCOPE_SEEN_UNDECIDED;
}

TEST(LockRules, TellPlacesApart) {
  const auto place = [](gilscope_gil_kind kind, uint64_t at) {
    const gilscope_gil lock = lock_of(kind);
    return gilscope_lock_place(&lock, kLock + at);
  };
  EXPECT_EQ(place(GILSCOPE_LOCK_MUTEX, 0), GILSCOPE_AT_GIL);
  EXPECT_EQ(place(GILSCOPE_LOCK_MUTEX, 8), GILSCOPE_AT_NO_LOCK);
  EXPECT_EQ(place(GILSCOPE_LOCK_MUTEX, 40), GILSCOPE_AT_ANOTHER);
  EXPECT_EQ(place(GILSCOPE_LOCK_MUTEX, uint64_t(-8)), GILSCOPE_AT_ANOTHER);
  EXPECT_EQ(place(GILSCOPE_LOCK_RWLOCK, 0), GILSCOPE_AT_GIL);
  EXPECT_EQ(place(GILSCOPE_LOCK_RWLOCK, 8), GILSCOPE_AT_GIL);
  EXPECT_EQ(place(GILSCOPE_LOCK_RWLOCK, 12), GILSCOPE_AT_GIL);
  EXPECT_EQ(place(GILSCOPE_LOCK_RWLOCK, 16), GILSCOPE_AT_NO_LOCK);
  EXPECT_EQ(place(GILSCOPE_LOCK_RWLOCK, 56), GILSCOPE_AT_ANOTHER);
  EXPECT_EQ(place(GILSCOPE_LOCK_COND, 44), GILSCOPE_AT_GIL);
  EXPECT_EQ(place(GILSCOPE_LOCK_COND, 32), GILSCOPE_AT_RELEASE);
  EXPECT_EQ(place(GILSCOPE_LOCK_COND, 48), GILSCOPE_AT_ANOTHER);
}

TEST(LockRules, ReadTheOwnerOfEachSortOfMutex) {
  EXPECT_EQ(words_of(GILSCOPE_LOCK_MUTEX, {2, 0, 77, 1}).holder, 77u);
  EXPECT_EQ(words_of(GILSCOPE_LOCK_MUTEX, {2, 0, 77, 1}).locked, 1);
  // An owner whose word is free has not taken it yet, or has let it go.
  EXPECT_EQ(words_of(GILSCOPE_LOCK_MUTEX, {0, 0, 77, 0}).holder, 0u);
  EXPECT_EQ(words_of(GILSCOPE_LOCK_MUTEX, {77 | 0x80000000, 0, 0, 1, 0x10}).holder, 77u);
  EXPECT_EQ(words_of(GILSCOPE_LOCK_MUTEX, {77, 0, 0, 1, 0x20}).holder, 77u);
  EXPECT_EQ(words_of(GILSCOPE_LOCK_MUTEX, {0, 0, 77, 0, 0x20}).locked, 0);
}

TEST(LockRules, ReadTheWriterOfAnRwlockAndTheWaitsOfACondition) {
  EXPECT_EQ(words_of(GILSCOPE_LOCK_RWLOCK, {3, 0, 0, 0, 0, 0, 77, 0}).holder, 77u);
  const auto readers = words_of(GILSCOPE_LOCK_RWLOCK, {2 << 3, 0, 0, 0, 0, 0, 0, 0});
  EXPECT_EQ(readers.holder, 0u);
  EXPECT_EQ(readers.locked, 1);
  EXPECT_EQ(words_of(GILSCOPE_LOCK_COND, {15, 1}).waits, (uint64_t{1} << 31) + 7);
}

TEST(LockRules, KnowWhatNoLockCanHave) {
  EXPECT_TRUE(plausible(GILSCOPE_LOCK_MUTEX, {}));
  for (uint32_t sort = 0; sort < 4; ++sort) {
    EXPECT_TRUE(plausible(GILSCOPE_LOCK_MUTEX, {2, 0, 77, 1, sort | 0x80 | 0x200}));
  }
  EXPECT_FALSE(plausible(GILSCOPE_LOCK_MUTEX, {3}));
  EXPECT_FALSE(plausible(GILSCOPE_LOCK_MUTEX, {0, 5}));           // a semaphore with five waiters
  EXPECT_TRUE(plausible(GILSCOPE_LOCK_MUTEX, {1, 5, 77, 1, 1}));  // locked five times
  EXPECT_TRUE(plausible(GILSCOPE_LOCK_MUTEX, {77, 1, 0, 0, 0x10}));
  EXPECT_FALSE(plausible(GILSCOPE_LOCK_MUTEX, {1, 0, 1 << 23, 1}));
  EXPECT_FALSE(plausible(GILSCOPE_LOCK_MUTEX, {0, 0, 0, 0, ~0u}));  // destroyed
  EXPECT_FALSE(plausible(GILSCOPE_LOCK_MUTEX, {0, 0, 0, 0, 0x40}));
  EXPECT_TRUE(plausible(GILSCOPE_LOCK_MUTEX, {77 | 0x80000000, 0, 0, 0, 0x10}));
  EXPECT_FALSE(plausible(GILSCOPE_LOCK_RWLOCK, {0, 0, 0, 0, 0, 0, 1 << 23, 0}));
  EXPECT_FALSE(plausible(GILSCOPE_LOCK_RWLOCK, {0, 0, 0, 0, 0, 0, 0, 2}));
  EXPECT_FALSE(plausible(GILSCOPE_LOCK_COND, {4, 0, 8, 0}));  // more groups than waits
}

TEST(LockRules, CallTheFirstSleepContended) {
  Sequence thread;
  const auto first = thread.sleeps_for_lock();
  EXPECT_EQ(first.contended, 1);
  EXPECT_EQ(first.gil_state, GILSCOPE_WAITING);
  EXPECT_EQ(first.acquired, 0);
}

TEST(LockRules, LeaveASecondSleepUndecidedWhereNothingTells) {
  Sequence thread;
  thread.sleeps_for_lock();
  thread.woken(GILSCOPE_AT_GIL, 100);
  const auto again = thread.sleeps_for_lock();
  EXPECT_TRUE(undecided(again));
  EXPECT_EQ(again.contended + again.woken_lost + again.timed_out + again.acquired, 0);
}

TEST(LockRules, SeeThatItHadTheLockByAnySign) {
  Sequence by_look;
  by_look.sleeps_for_lock();
  by_look.woken(GILSCOPE_AT_GIL, 100);
  by_look.waiter.had = 1;  // as its owner, or by waking a sleeper
  EXPECT_EQ(by_look.sleeps_for_lock().contended, 1);

  Sequence by_registers;
  by_registers.sleeps_for_lock();
  by_registers.woken(GILSCOPE_AT_GIL, 100);
  const auto elsewhere = by_registers.sleeps_for_lock(0, true);
  EXPECT_EQ(elsewhere.contended, 1);
  EXPECT_EQ(elsewhere.acquired, 1);

  Sequence by_preemption;
  by_preemption.sleeps_for_lock();
  by_preemption.woken(GILSCOPE_AT_GIL, 100);
  const auto held = by_preemption.is_preempted(true);
  EXPECT_EQ(held.acquired, 1);
  EXPECT_EQ(held.gil_state, GILSCOPE_HOLDING);
  EXPECT_EQ(by_preemption.sleeps_for_lock().contended, 1);

  Sequence by_another_sleep;
  by_another_sleep.sleeps_for_lock();
  by_another_sleep.woken(GILSCOPE_AT_GIL, 100);
  EXPECT_EQ(by_another_sleep.sleeps_elsewhere().acquired, 1);
  EXPECT_EQ(by_another_sleep.sleeps_for_lock().contended, 1);
}

TEST(LockRules, SeeThatItCannotHaveHadItWhereAnotherSleptAllTheWhile) {
  Sequence thread;
  gilscope_lock_asleep(&thread.watch, 10);
  thread.sleeps_for_lock();
  thread.woken(GILSCOPE_AT_GIL, 100);
  EXPECT_EQ(thread.sleeps_for_lock().woken_lost, 1);

  // One that came later would not have been there to be woken.
  Sequence other;
  other.sleeps_for_lock();
  other.woken(GILSCOPE_AT_GIL, 100);
  gilscope_lock_asleep(&other.watch, 200);
  EXPECT_TRUE(undecided(other.sleeps_for_lock()));
}

TEST(LockRules, ForgetSleepersOnceNobodySleeps) {
  gilscope_gil_watch watch = {};
  gilscope_lock_asleep(&watch, 10);
  gilscope_lock_asleep(&watch, 20);
  gilscope_lock_awake(&watch);
  EXPECT_TRUE(gilscope_lock_slept_for(&watch, 30));
  EXPECT_FALSE(gilscope_lock_slept_for(&watch, 10));
  gilscope_lock_awake(&watch);
  EXPECT_FALSE(gilscope_lock_slept_for(&watch, 30));
  EXPECT_EQ(watch.asleep_since_ns, GILSCOPE_NEVER);  // whatever a race adds to the number
  gilscope_lock_asleep(&watch, 40);
  EXPECT_FALSE(gilscope_lock_slept_for(&watch, 30));
  EXPECT_TRUE(gilscope_lock_slept_for(&watch, 50));
}

TEST(LockRules, TellTimedWaitsByTheirDeadline) {
  Sequence lost;
  lost.sleeps_for_lock(5000);
  lost.woken(GILSCOPE_AT_GIL, 100);
  EXPECT_EQ(lost.sleeps_for_lock(5000).woken_lost, 1);

  Sequence late;
  late.sleeps_for_lock(5000);
  late.woken(GILSCOPE_AT_NOTHING, 5001);
  EXPECT_EQ(late.sleeps_for_lock(9000).timed_out, 1);

  // It has left a call that may have ended without the lock.
  Sequence left;
  left.sleeps_for_lock(5000);
  left.woken(GILSCOPE_AT_GIL, 100);
  EXPECT_TRUE(undecided(left.sleeps_for_lock(9000, true)));
}

TEST(LockRules, SayOfAConditionOnlyThatItsThreadsWait) {
  Sequence thread(GILSCOPE_LOCK_COND);
  const auto first = thread.sleeps_for_lock();
  EXPECT_TRUE(undecided(first));
  EXPECT_EQ(first.contended, 0);
  thread.woken(GILSCOPE_AT_GIL, 100);
  const auto again = thread.sleeps_for_lock();
  EXPECT_TRUE(undecided(again));
  EXPECT_EQ(again.acquired, 1);  // so it is no wasted wakeup
}

TEST(LockRules, StopWaitingForTheLockOnlyWhenItRunsOnWithIt) {
  Sequence thread;
  thread.sleeps_for_lock();
  thread.woken(GILSCOPE_AT_GIL, 100);
  EXPECT_EQ(thread.is_preempted(false).gil_state, GILSCOPE_WAITING);
  EXPECT_EQ(thread.is_preempted(true).gil_state, GILSCOPE_HOLDING);
  EXPECT_EQ(thread.is_preempted(false).gil_state, GILSCOPE_OUTSIDE);
}

}  // namespace
}  // namespace gilscope
