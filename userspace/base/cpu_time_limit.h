// Warns before this process reaches its limit of CPU time (RLIMIT_CPU, `ulimit -t`).
#pragma once

#include <time.h>

#include <optional>
#include <utility>

namespace gilscope {

// The kernel kills a process at its hard limit. The soft limit would send a signal first, but
// shells set both to the same value, so a timer sends that signal in time. A forked child has a
// limit of its own, but no timer.
class CpuTimeLimit {
 public:
  CpuTimeLimit() = default;
  // Sends SIGXCPU to this process one second of CPU time before the hard limit, or half a second
  // before a limit of one second. Does nothing without a hard limit.
  static CpuTimeLimit warn();
  ~CpuTimeLimit() {
    if (timer_) ::timer_delete(*timer_);
  }
  CpuTimeLimit(CpuTimeLimit&& other) noexcept : timer_(std::exchange(other.timer_, std::nullopt)) {}
  CpuTimeLimit& operator=(CpuTimeLimit&& other) noexcept {
    std::swap(timer_, other.timer_);
    return *this;
  }

 private:
  std::optional<timer_t> timer_;
};

}  // namespace gilscope
