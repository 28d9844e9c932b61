#include "userspace/descriptor/policy.h"

namespace gilscope {

PolicyDescriptor policy_check_interval() {
  return {
      .name = "check-interval",
      .summary = "CPython to 3.1: every N+1 counted opcodes release, and take again at once",
      .value = PolicyValue{.what = "check interval",
                           .unit = "opcodes",
                           .shown = "N (opcodes)",
                           .fallback = 100,  // as sys.setcheckinterval
                           .lowest = 0,      // every counted opcode
                           .highest = INT32_MAX},
      .options = {{"lock=condvar"}, {"yield"}},
      .whose = "CPython to 3.1",
      .primitive = "futex semaphore (`semaphore.h`), or mutex and condition",
      .next = "whoever is first: barging",
      .given_up = "every N+1 counted opcodes",
      .failures = {.contended = "found it taken",
                   .woken_lost = "woken by a release, and another had it first",
                   .timed_out = "",
                   .drop_requests = ""},
      // The kernel may refuse a semaphore's wait, which is then an attempt more (docs/metrics.md).
      .promises = {.always_releases = true, .contended_once = false},
      .pace = [](uint64_t interval) { return PolicyPace{.held_opcodes = interval + 1}; },
  };
}

}  // namespace gilscope
