// Policy names are a contract: "check-interval:100,lock=condvar", "switch-interval:5ms", "bfs".
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "userspace/gil/gil.h"
#include "userspace/util/result.h"

namespace gilscope {

struct PolicyInfo {
  std::string name;                  // "check-interval:100"
  std::string summary;               // one line
  std::string parameters;            // one line, or empty
  std::vector<std::string> options;  // the words among them: "lock=condvar", "yield"
};
const std::vector<PolicyInfo>& policy_list();

// Checks a policy's text and returns its canonical form, or says what is wrong and what there is.
Result<std::string> canonical_policy(std::string_view text);

// What a plan has to know of a policy.
struct PolicyPace {
  size_t holders = 1;  // how many threads can compute at once
  // How long a thread that computes keeps the lock while another one waits.
  uint64_t held_ns = 0;
  uint64_t held_opcodes = 0;  // counted ones
};
Result<PolicyPace> policy_pace(std::string_view text);

Result<std::unique_ptr<Gil>> make_gil(std::string_view text);

}  // namespace gilscope
