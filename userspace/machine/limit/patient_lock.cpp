#include "userspace/machine/limit/patient_lock.h"

#include <unistd.h>

namespace gilscope {

Result<BoxLock> take_box_lock() {
  constexpr int kAttempts = 100;
  constexpr useconds_t kBetweenUs = 10'000;
  for (int attempt = 1;; ++attempt) {
    auto lock = BoxLock::take();
    if (lock || attempt == kAttempts) return lock;
    ::usleep(kBetweenUs);
  }
}

}  // namespace gilscope
