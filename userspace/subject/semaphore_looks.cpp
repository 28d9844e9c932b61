#include "userspace/subject/semaphore_looks.h"

namespace gilscope {

void SemaphoreLooks::add(bool free, bool current_before, bool current_after) {
  ++(free ? free_ : taken_);
  if (!current_before || !current_after) return;
  ++with_current_;
  if (!free) ++taken_with_current_;
}

double SemaphoreLooks::taken_share() const {
  if (with_current_ == 0) return 0;
  return static_cast<double>(taken_with_current_) / static_cast<double>(with_current_);
}

// A look takes three reads, between which threads that compute can give the GIL up and take it
// again: some looks at a current state find it free all the same. Looks without a current state say
// less: a thread that is preempted right before it sets the state leaves the GIL taken for long.
bool SemaphoreLooks::can_be_gil() const {
  constexpr uint64_t kEnough = 5;
  constexpr double kMostly = 0.75;
  return free_ >= kEnough && taken_ >= kEnough && with_current_ >= kEnough &&
         taken_share() >= kMostly;
}

}  // namespace gilscope
