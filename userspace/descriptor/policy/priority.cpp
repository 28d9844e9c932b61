#include "userspace/descriptor/policy.h"

namespace gilscope {

PolicyDescriptor policy_priority() {
  return {
      .name = "priority",
      .summary =
          "Beazley-style: up for a voluntary release, down for a time-out, the highest first",
      .value = PolicyValue{.what = "interval",
                           .unit = "",
                           .shown = "T (time)",
                           .fallback = 5'000'000,  // as switch-interval's
                           .lowest = kShortestTurnNs,
                           .highest = kLongestTurnNs},
      .whose = "Beazley-style",
      .primitive = "mutex and queue, a condition a thread",
      .next = "the highest priority; barging among equals",
      .given_up = "asked by a higher priority, or after T",
      .failures = {.contended = "the first time",
                   .woken_lost = "woken, and another had it first",
                   .timed_out = "a wait of T ran out",
                   .drop_requests =
                       "at once by a higher priority; or after that, if nobody got it meanwhile"},
      .promises = {.always_releases = true, .gives_way = true},
      .pace = [](uint64_t interval_ns) { return PolicyPace{.held_ns = interval_ns}; },
  };
}

}  // namespace gilscope
