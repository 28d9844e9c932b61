#include "userspace/machine/limit/patient_lock.h"

#include <unistd.h>

namespace gilscope {

Result<MachineLock> take_machine_lock() {
  constexpr int kAttempts = 100;
  constexpr useconds_t kBetweenUs = 10'000;
  for (int attempt = 1;; ++attempt) {
    auto lock = MachineLock::take();
    if (lock || attempt == kAttempts) return lock;
    ::usleep(kBetweenUs);
  }
}

}  // namespace gilscope
