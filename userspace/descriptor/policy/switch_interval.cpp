#include "userspace/descriptor/policy.h"

namespace gilscope {

PolicyDescriptor policy_switch_interval() {
  return {
      .name = "switch-interval",
      .summary = "CPython 3.2+: a waiter whose wait runs out asks, the holder drops and lets it in",
      .value = PolicyValue{.what = "switch interval",
                           .unit = "",
                           .shown = "T (time)",
                           .fallback = 5'000'000,  // sys.setswitchinterval
                           .lowest = kShortestTurnNs,
                           .highest = kLongestTurnNs},
      .options = {{"flag=thread", "3.13+"}},
      .whose = "CPython 3.2+",
      .primitive = "mutex and condition",
      .next = "barging; once asked, another than the dropper",
      .given_up = "asked by a waiter, after T",
      .failures = {.contended = "the first time",
                   .woken_lost = "woken by a release, and another had it first",
                   .timed_out = "a wait of T ran out",
                   .drop_requests = "after that, if nobody got it meanwhile"},
      .promises = {.always_releases = true, .gives_way = true},
      .pace = [](uint64_t interval_ns) { return PolicyPace{.held_ns = interval_ns}; },
  };
}

}  // namespace gilscope
