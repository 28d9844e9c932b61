#include "userspace/descriptor/policy.h"

namespace gilscope {

PolicyDescriptor policy_fifo() {
  return {
      .name = "fifo",
      .summary = "tickets: the releaser makes the next in the queue the owner, then wakes it",
      .value = PolicyValue{.what = "check interval",
                           .unit = "opcodes",
                           .shown = "N (opcodes between releases)",
                           .fallback = 100,  // as check-interval's
                           .lowest = 0,
                           .highest = INT32_MAX},
      .whose = "nobody's",
      .primitive = "mutex and queue, a futex word a thread",
      .next = "the first in the queue: handed over",
      .given_up = "every N+1 counted opcodes",
      .failures = {.contended = "queued", .woken_lost = "", .timed_out = "", .drop_requests = ""},
      .promises = {.always_releases = true},
      .pace = [](uint64_t interval) { return PolicyPace{.held_opcodes = interval + 1}; },
  };
}

}  // namespace gilscope
