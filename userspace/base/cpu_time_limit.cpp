#include "userspace/base/cpu_time_limit.h"

#include <signal.h>
#include <sys/resource.h>

#include <algorithm>
#include <limits>

namespace gilscope {

CpuTimeLimit CpuTimeLimit::warn() {
  CpuTimeLimit limit;
  rlimit seconds = {};
  if (::getrlimit(RLIMIT_CPU, &seconds) != 0 || seconds.rlim_max == RLIM_INFINITY) return limit;
  sigevent event = {};
  event.sigev_notify = SIGEV_SIGNAL;
  event.sigev_signo = SIGXCPU;
  timer_t timer;
  if (::timer_create(CLOCK_PROCESS_CPUTIME_ID, &event, &timer) != 0) return limit;
  limit.timer_ = timer;
  itimerspec when = {};
  if (seconds.rlim_max > 1) {
    when.it_value.tv_sec = static_cast<time_t>(
        std::min<rlim_t>(seconds.rlim_max - 1, std::numeric_limits<int32_t>::max()));
  } else {
    when.it_value.tv_nsec = 500'000'000;
  }
  ::timer_settime(timer, 0, &when, nullptr);
  return limit;
}

}  // namespace gilscope
