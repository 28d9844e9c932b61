// A limit on this process's CPU time (RLIMIT_CPU, `ulimit -t`), told before the kernel acts on it.
#pragma once

#include <time.h>

#include <optional>
#include <utility>

namespace gilscope {

// At its hard limit a process is killed, and a shell sets the soft limit, whose signal could be
// heeded, to the same. A timer sends that signal in time. Forked children have a limit, but no
// timer, of their own.
class CpuTimeLimit {
 public:
  CpuTimeLimit() = default;
  // SIGXCPU to this process when a second of its CPU time is left; of a second or less, half of it.
  // Nothing where there is no hard limit.
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
