#include "userspace/descriptor/policy.h"

namespace gilscope {

PolicyDescriptor policy_bfs() {
  return {
      .name = "bfs",
      .summary = "Nir Aides' proposal for CPython: slices of 10 ms, the earliest deadline first",
      .whose = "proposed in bpo-7946",
      .primitive = "mutex and queue, a condition a thread",
      .next = "the earliest deadline",
      .given_up = "its slice of 10 ms, or an earlier deadline",
      .failures = {.contended = "queued",
                   .woken_lost = "chosen, and another took it first",
                   .timed_out = "5.5 ms for each waiter ran out",
                   .drop_requests = "on queueing, and after that"},
      // Plans expect no wait behind computing threads: who has waited long goes first.
  };
}

}  // namespace gilscope
