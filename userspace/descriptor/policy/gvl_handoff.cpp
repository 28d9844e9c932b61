#include "userspace/descriptor/policy.h"

namespace gilscope {

PolicyDescriptor policy_gvl_handoff() {
  return {
      .name = "gvl-handoff",
      .summary = "Ruby 3.3: a queue, handed over; ticks of 10 ms while somebody waits",
      .value = PolicyValue{.what = "quantum",
                           .unit = "",
                           .shown = "T (time, from 10ms)",
                           .fallback = 100'000'000,
                           .lowest = 10'000'000,  // a tick, which the quantum is counted in
                           .highest = kLongestTurnNs},
      .whose = "Ruby 3.3",
      .primitive = "mutex and queue, a condition a thread",
      .next = "the first in the queue: handed over",
      .given_up = "T in ticks of 10 ms",
      .failures = {.contended = "queued",
                   .woken_lost = "",
                   .timed_out = "a waiter kept a tick of 10 ms",
                   .drop_requests = "the same: T / 10 ms ticks make the holder yield"},
      .promises = {.gives_way = true},
      .pace = [](uint64_t quantum_ns) { return PolicyPace{.held_ns = quantum_ns}; },
  };
}

}  // namespace gilscope
