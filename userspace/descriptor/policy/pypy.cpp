#include "userspace/descriptor/policy.h"

namespace gilscope {

PolicyDescriptor policy_pypy() {
  return {
      .name = "pypy",
      .summary = "PyPy: two locks, one stealer at a time; every N+1 opcodes given to it",
      .value = PolicyValue{.what = "check interval",
                           .unit = "opcodes",
                           .shown = "N (opcodes)",
                           .fallback = 10'000,  // sys.setcheckinterval
                           .lowest = 1,         // PyPy makes 1 of anything less
                           .highest = INT32_MAX},
      .whose = "PyPy",
      .primitive = "a word, and two mutexes",
      .next = "barging at the word; the one stealer",
      .given_up = "every N+1 counted opcodes, if somebody waits",
      .failures = {.contended = "another steals already, or, as the stealer, the first time",
                   .woken_lost = "slept to become the stealer, and found it taken",
                   .timed_out = "a turn of 0.1 ms ran out",
                   .drop_requests = ""},
      .pace = [](uint64_t interval) { return PolicyPace{.held_opcodes = interval + 1}; },
  };
}

}  // namespace gilscope
