// The rules by which failed attempts of a real program's threads are told apart (bpf/attempt.h), on
// sequences of what can be seen of a thread: where it sleeps, who wakes it, what the GIL's words
// say.
#include "bpf/attempt.h"

#include <gtest/gtest.h>

namespace gilscope {
namespace {

constexpr uint64_t kGil = 0x10000;

gilscope_gil condition_gil() {
  gilscope_gil gil = {};
  gil.kind = GILSCOPE_GIL_CONDITION;
  gil.signals_at = 40;
  gil.words = kGil;
  gil.condition = kGil + 32;
  gil.mutex = gil.condition + 48;
  gil.switch_condition = gil.mutex + 40;
  gil.switch_mutex = gil.switch_condition + 48;
  gil.interval_at = 0;
  return gil;
}

// A thread, told what happens to it in order.
class Sequence {
 public:
  // Goes to sleep for the GIL, in a wait until `deadline`, when the holder has changed `number`
  // times.
  gilscope_outcome sleeps_for_gil(uint64_t deadline, uint64_t number) {
    return out({.place = GILSCOPE_AT_GIL, .asleep = 1, .number = number, .deadline = deadline});
  }
  gilscope_outcome sleeps_at(uint8_t place, bool mine = false) {
    return out({.place = place, .asleep = 1, .mine = mine});
  }
  gilscope_outcome is_preempted(bool mine) { return out({.mine = mine}); }
  gilscope_outcome out(const gilscope_sight& sight) {
    return gilscope_on_switch_out(&waiter, &sight);
  }
  // Is woken by a thread that calls for sleepers of `wakes`, and runs.
  void woken(uint8_t wakes, uint64_t at_ns, uint64_t latest) {
    waiter.woken = gilscope_woken_by(&waiter, wakes, at_ns);
    waiter.woken_ns = at_ns;
    gilscope_on_switch_in(&waiter, latest, 0, false);
  }

  gilscope_waiter waiter = {};
};

TEST(Attempt, TellsPlacesOfTheGilApart) {
  const gilscope_gil gil = condition_gil();
  EXPECT_EQ(gilscope_place_of(&gil, gil.condition + 40), GILSCOPE_AT_GIL);
  EXPECT_EQ(gilscope_place_of(&gil, gil.condition + 44), GILSCOPE_AT_GIL);
  // glibc's own lock of the condition, and where who signals waits for a group to drain.
  EXPECT_EQ(gilscope_place_of(&gil, gil.condition + 32), GILSCOPE_AT_RELEASE);
  EXPECT_EQ(gilscope_place_of(&gil, gil.condition + 16), GILSCOPE_AT_RELEASE);
  EXPECT_EQ(gilscope_place_of(&gil, gil.mutex), GILSCOPE_AT_MUTEX);
  EXPECT_EQ(gilscope_place_of(&gil, gil.switch_condition + 40), GILSCOPE_AT_SWITCH);
  EXPECT_EQ(gilscope_place_of(&gil, gil.switch_mutex), GILSCOPE_AT_SWITCH_MUTEX);
  EXPECT_EQ(gilscope_place_of(&gil, kGil - 64), GILSCOPE_AT_ANOTHER);
  gilscope_gil newer = gil;  // glibc 2.41
  newer.signals_at = 32;
  EXPECT_EQ(gilscope_place_of(&newer, gil.condition + 36), GILSCOPE_AT_GIL);
  EXPECT_EQ(gilscope_place_of(&newer, gil.condition + 40), GILSCOPE_AT_RELEASE);
}

TEST(Attempt, CountsTheFirstSleepAsContendedAndATimeOutAsTimedOut) {
  Sequence thread;
  auto first = thread.sleeps_for_gil(5000, 7);
  EXPECT_EQ(first.contended, 1);
  EXPECT_EQ(first.gil_state, GILSCOPE_WAITING);
  EXPECT_EQ(first.acquired, 0);
  thread.woken(GILSCOPE_AT_NOTHING, 5001, 7);
  auto again = thread.sleeps_for_gil(10'000, 7);
  EXPECT_EQ(again.timed_out, 1);
  EXPECT_EQ(again.contended + again.woken_lost, 0);
  EXPECT_FALSE(again.seen & GILSCOPE_SEEN_UNDECIDED);
}

TEST(Attempt, CountsASignalThatCameTooLateForNothing) {
  Sequence thread;
  thread.sleeps_for_gil(5000, 7);
  thread.woken(GILSCOPE_AT_GIL, 3000, 8);
  EXPECT_EQ(thread.sleeps_for_gil(8000, 9).woken_lost, 1);
}

// A waker that runs after the deadline is a waker all the same.
TEST(Attempt, AsksWhoWokeBeforeItAsksTheClock) {
  Sequence thread;
  thread.sleeps_for_gil(5000, 7);
  thread.woken(GILSCOPE_AT_GIL, 5001, 7);
  EXPECT_EQ(thread.sleeps_for_gil(10'000, 7).woken_lost, 1);
}

TEST(Attempt, CountsWhoHadItInBetweenAsContendedAnew) {
  Sequence thread;
  thread.sleeps_for_gil(5000, 7);
  thread.woken(GILSCOPE_AT_GIL, 3000, 8);
  thread.waiter.had = 1;
  const auto anew = thread.sleeps_for_gil(9000, 12);
  EXPECT_EQ(anew.contended, 1);
  EXPECT_EQ(anew.acquired, 1);
  EXPECT_EQ(thread.waiter.had, 0);
}

TEST(Attempt, LeavesAKindUndecidedWhereItMayHaveHadIt) {
  Sequence thread;
  thread.sleeps_for_gil(5000, 7);
  thread.woken(GILSCOPE_AT_GIL, 3000, 8);
  const auto outcome = thread.sleeps_for_gil(9000, 10);  // two changes since it ran
  EXPECT_TRUE(outcome.seen & GILSCOPE_SEEN_UNDECIDED);
  EXPECT_EQ(outcome.contended + outcome.woken_lost + outcome.timed_out, 0);
  // One change is not enough: it and another would have made two.
  thread.woken(GILSCOPE_AT_GIL, 8000, 10);
  EXPECT_EQ(thread.sleeps_for_gil(12'000, 11).woken_lost, 1);
}

TEST(Attempt, CountsNoAttemptWhereGlibcWaitsOnToTheSameDeadline) {
  Sequence thread;
  thread.sleeps_for_gil(5000, 7);
  thread.woken(GILSCOPE_AT_GIL, 3000, 7);
  const auto outcome = thread.sleeps_for_gil(5000, 7);
  EXPECT_TRUE(outcome.seen & GILSCOPE_SEEN_SAME_WAIT);
  EXPECT_EQ(outcome.contended + outcome.woken_lost + outcome.timed_out, 0);
  EXPECT_EQ(outcome.slept_for_gil, 1);
}

// A wait that had begun before the GIL was first looked at is no attempt of the window's.
TEST(Attempt, CountsNoAttemptThatBeganBeforeTheFirstLook) {
  Sequence thread;
  gilscope_sight sight = {.place = GILSCOPE_AT_GIL, .asleep = 1, .deadline = 5000};
  sight.began_ns = 100;
  sight.first_ns = 200;
  EXPECT_TRUE(thread.out(sight).seen & GILSCOPE_SEEN_SAME_WAIT);
  sight.began_ns = 300;
  EXPECT_EQ(Sequence().out(sight).contended, 1);
}

// A woken thread runs into the mutex that its waker still holds, and is woken out of that, too.
TEST(Attempt, KeepsWhoWokeItOverASleepOnTheMutex) {
  Sequence thread;
  thread.sleeps_for_gil(5000, 7);
  thread.woken(GILSCOPE_AT_NOTHING, 5001, 7);
  const auto on_mutex = thread.sleeps_at(GILSCOPE_AT_MUTEX);
  EXPECT_TRUE(on_mutex.seen & GILSCOPE_SEEN_MUTEX_SLEEP);
  EXPECT_EQ(on_mutex.gil_state, GILSCOPE_WAITING);
  EXPECT_EQ(on_mutex.slept_for_gil, 0);
  thread.woken(GILSCOPE_AT_MUTEX, 5100, 7);
  EXPECT_EQ(thread.sleeps_for_gil(10'100, 7).timed_out, 1);
}

TEST(Attempt, SeesThatItGotTheGilWhenItHoldsItOrSleepsForAnythingElse) {
  Sequence holder;
  holder.sleeps_for_gil(5000, 7);
  holder.woken(GILSCOPE_AT_GIL, 3000, 7);
  const auto preempted = holder.is_preempted(true);
  EXPECT_EQ(preempted.acquired, 1);
  EXPECT_EQ(preempted.gil_state, GILSCOPE_HOLDING);
  EXPECT_EQ(holder.is_preempted(true).acquired, 0);

  Sequence sleeper;
  sleeper.sleeps_for_gil(5000, 7);
  sleeper.woken(GILSCOPE_AT_GIL, 3000, 7);
  const auto elsewhere = sleeper.sleeps_at(GILSCOPE_AT_NOTHING);
  EXPECT_EQ(elsewhere.acquired, 1);
  EXPECT_EQ(elsewhere.gil_state, GILSCOPE_OUTSIDE);

  Sequence still_waiting;
  still_waiting.sleeps_for_gil(5000, 7);
  still_waiting.woken(GILSCOPE_AT_GIL, 3000, 7);
  const auto outcome = still_waiting.is_preempted(false);
  EXPECT_EQ(outcome.acquired, 0);
  EXPECT_EQ(outcome.gil_state, GILSCOPE_WAITING);
}

TEST(Attempt, TellsAForcedSwitchAndAStallOfTheReleaseFromAttempts) {
  Sequence thread;
  const auto forced = thread.sleeps_at(GILSCOPE_AT_SWITCH);
  EXPECT_EQ(forced.gil_state, GILSCOPE_WAITING);
  EXPECT_EQ(forced.slept_for_gil, 0);
  const auto stall = thread.sleeps_at(GILSCOPE_AT_RELEASE);
  EXPECT_TRUE(stall.seen & GILSCOPE_SEEN_RELEASE_STALL);
  EXPECT_EQ(stall.slept_for_gil, 0);
}

// PyPy's threads queue on a mutex for the right to steal; the first of them waits on the condition.
TEST(Attempt, CountsPyPysQueueAsAnAttempt) {
  Sequence thread;
  const gilscope_sight queued = {.place = GILSCOPE_AT_MUTEX, .asleep = 1, .queues = 1};
  const auto first = thread.out(queued);
  EXPECT_EQ(first.contended, 1);
  EXPECT_EQ(first.queue_wait, 1);
  thread.waiter.woken = GILSCOPE_WOKEN_OTHERWISE;
  thread.waiter.woken_ns = 10;
  gilscope_on_switch_in(&thread.waiter, 0, 0, true);
  const auto again = thread.out(queued);  // another has taken the mutex first
  EXPECT_TRUE(again.seen & GILSCOPE_SEEN_SAME_WAIT);
  gilscope_on_switch_in(&thread.waiter, 0, 0, true);
  EXPECT_EQ(thread.sleeps_for_gil(100, 0).woken_lost, 1);
  thread.woken(GILSCOPE_AT_NOTHING, 101, 0);
  EXPECT_EQ(thread.sleeps_for_gil(200, 0).timed_out, 1);
}

TEST(Attempt, CountsTheLostTurnsOfASemaphore) {
  Sequence thread;
  EXPECT_EQ(thread.sleeps_for_gil(0, 0).contended, 1);
  thread.woken(GILSCOPE_AT_GIL, 10, 0);
  EXPECT_EQ(thread.sleeps_for_gil(0, 0).woken_lost, 1);
  thread.woken(GILSCOPE_AT_GIL, 20, 0);
  const gilscope_sight ticked = {.place = GILSCOPE_AT_GIL, .asleep = 1, .ticked = 1};
  const auto anew = thread.out(ticked);
  EXPECT_EQ(anew.contended, 1);
  EXPECT_EQ(anew.acquired, 1);
}

// A thread of 2.7 that releases the GIL around calls, too, may have had it without a tick.
TEST(Attempt, LeavesALostTurnUndecidedWhereNothingRulesOutThatItHadIt) {
  Sequence thread;
  thread.sleeps_for_gil(0, 0);
  thread.woken(GILSCOPE_AT_GIL, 10, 0);
  const auto outcome = thread.out({.place = GILSCOPE_AT_GIL, .asleep = 1, .unnumbered = 1});
  EXPECT_TRUE(outcome.seen & GILSCOPE_SEEN_UNDECIDED);
  EXPECT_EQ(outcome.woken_lost, 0);
}

TEST(Words, CountFromTheFirstLook) {
  gilscope_gil_watch watch = {};
  gilscope_words words = {.holder = 0x1000, .number = 50, .waits = 100, .interval = 5000};
  gilscope_note_words(&watch, &words, true, 10);
  EXPECT_EQ(watch.last_waits - watch.first_waits, 1u);  // the looking thread's own
  words.waits = 107;
  words.number = 53;
  gilscope_note_words(&watch, &words, true, 20);
  EXPECT_EQ(watch.last_waits - watch.first_waits, 8u);
  EXPECT_EQ(watch.latest, 53u);
  // An older look of another CPU's changes nothing.
  words.waits = 105;
  gilscope_note_words(&watch, &words, true, 15);
  EXPECT_EQ(watch.last_waits - watch.first_waits, 8u);
}

// A forked child makes its condition anew.
TEST(Words, StartOverWithAConditionThatWasMadeAnew) {
  gilscope_gil_watch watch = {};
  gilscope_words words = {.holder = 0x1000, .number = 50, .waits = 100, .interval = 5000};
  gilscope_note_words(&watch, &words, false, 10);
  words.waits = 2;
  words.number = 1;
  gilscope_note_words(&watch, &words, true, 20);
  EXPECT_EQ(watch.last_waits - watch.first_waits, 2u);
}

TEST(Words, AreImplausibleAtAWrongAddress) {
  const gilscope_gil gil = condition_gil();
  gilscope_words words = {.holder = 0x1000, .number = 1, .waits = 1, .interval = 5000, .locked = 1};
  EXPECT_TRUE(gilscope_plausible(&gil, &words));
  gilscope_words never_taken = words;
  never_taken.locked = -1;
  never_taken.holder = 0;
  EXPECT_TRUE(gilscope_plausible(&gil, &never_taken));
  for (const auto& spoil :
       {+[](gilscope_words& w) { w.locked = 7; }, +[](gilscope_words& w) { w.holder = 0x1001; },
        +[](gilscope_words& w) { w.interval = 0; },
        +[](gilscope_words& w) { w.interval = 0x7f0000000000; }}) {
    gilscope_words wrong = words;
    spoil(wrong);
    EXPECT_FALSE(gilscope_plausible(&gil, &wrong));
  }
}

}  // namespace
}  // namespace gilscope
