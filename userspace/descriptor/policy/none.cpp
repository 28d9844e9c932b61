#include "userspace/descriptor/policy.h"

namespace gilscope {

PolicyDescriptor policy_none() {
  return {
      .name = "none",
      .summary = "no global lock: Jython, free-threaded CPython",
      .whose = "Jython, free-threaded CPython",
      .primitive = "-",
      .next = "everybody",
      .given_up = "never",
      .pace = [](uint64_t) { return PolicyPace{.holders = SIZE_MAX}; },
  };
}

}  // namespace gilscope
