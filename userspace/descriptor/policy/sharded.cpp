#include "userspace/descriptor/policy.h"

namespace gilscope {

PolicyDescriptor policy_sharded() {
  return {
      .name = "sharded",
      .summary = "one big lock split into N, another piece after each check; N hold at once",
      .value = PolicyValue{.what = "number of locks",
                           .unit = "locks",
                           .shown = "N (locks, 1 to 4096)",
                           .fallback = 16,
                           .lowest = 1,
                           .highest = 4096,
                           .reference = 1},  // one lock, to hold the pieces against
      .whose = "split locks of databases",
      .primitive = "N futex semaphores",
      .next = "barging at each piece",
      .given_up = "every 101 counted opcodes, for another piece",
      .failures = {.contended = "found the piece taken",
                   .woken_lost = "woken by a release, and another had the piece first",
                   .timed_out = "",
                   .drop_requests = ""},
      // As check-interval's semaphore.
      .promises = {.always_releases = true, .contended_once = false},
      .pace = [](uint64_t pieces) { return PolicyPace{.holders = pieces, .held_opcodes = 101}; },
  };
}

}  // namespace gilscope
