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
  std::string name;        // "check-interval:100"
  std::string summary;     // one line
  std::string parameters;  // one line, or empty
};
const std::vector<PolicyInfo>& policy_list();

// Checks a policy's text and returns its canonical form, or says what is wrong and what there is.
Result<std::string> canonical_policy(std::string_view text);

Result<std::unique_ptr<Gil>> make_gil(std::string_view text);

}  // namespace gilscope
