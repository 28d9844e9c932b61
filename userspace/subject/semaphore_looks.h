// Whether a semaphore is the GIL of CPython 2.7, from looks at its value and at the current thread
// state. Python/ceval.c of 2.7 sets the state after it has taken the GIL, and clears it before it
// gives the GIL up: while a state is current, the GIL is taken. The interpreter's other semaphores
// are mostly free then, or never change.
#pragma once

#include <cstdint>

namespace gilscope {

class SemaphoreLooks {
 public:
  // One look: whether the semaphore was free, and whether a thread state was current right before
  // and right after.
  void add(bool free, bool current_before, bool current_after);

  bool seen_both_ways() const { return free_ > 0 && taken_ > 0; }
  // Whether enough looks say that it can be the GIL. Of several, it is the one with the largest
  // share of looks at a current state at which it was taken.
  bool can_be_gil() const;
  // From 0 to 1.
  double taken_share() const;

  uint64_t with_current() const { return with_current_; }
  uint64_t taken_with_current() const { return taken_with_current_; }

 private:
  uint64_t free_ = 0, taken_ = 0;
  uint64_t with_current_ = 0, taken_with_current_ = 0;  // a state was current all the time
};

}  // namespace gilscope
