#include "userspace/descriptor/policy.h"

namespace gilscope {

PolicyDescriptor policy_gvl() {
  return {
      .name = "gvl",
      .summary = "Ruby 3.1: a queue, and a waiter as timer; newcomers may barge in",
      .value = PolicyValue{.what = "quantum",
                           .unit = "",
                           .shown = "T (time)",
                           .fallback = 100'000'000,  // TIME_QUANTUM
                           .lowest = kShortestTurnNs,
                           .highest = kLongestTurnNs},
      .whose = "Ruby 3.1",
      .primitive = "mutex and queue, a condition a thread",
      .next = "the first in the queue is woken; barging",
      .given_up = "the timer, one of the waiters, after T",
      .failures = {.contended = "queued",
                   .woken_lost = "woken to take it, or to be the timer, and found it taken",
                   .timed_out = "the timer's wait ran out",
                   .drop_requests = "whenever the timer wakes and finds it taken"},
      .promises = {.always_releases = true, .gives_way = true},
      .pace = [](uint64_t quantum_ns) { return PolicyPace{.held_ns = quantum_ns}; },
  };
}

}  // namespace gilscope
