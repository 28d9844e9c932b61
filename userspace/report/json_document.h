// Turns untrusted bytes into a JSON document that is known to be a report of this major version and
// to keep its schema.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "userspace/base/result.h"

namespace gilscope {

// Checks that the text is well-formed JSON, neither too deep nor too wide, with the right schema
// name and major version.
Result<nlohmann::ordered_json> parse_report(std::string_view text, const std::string& origin);

// The first violation of each run, and the first of everything around the runs.
std::vector<std::string> check_schema(const nlohmann::ordered_json& document);

}  // namespace gilscope
