// From bytes that anybody may have written to a JSON document that is known to be a report of our
// major version and to keep its schema.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "userspace/util/result.h"

namespace gilscope {

// Well-formed, not absurdly deep or wide, schema name and major version right.
Result<nlohmann::ordered_json> parse_report(std::string_view text, const std::string& origin);

// The first violation of each part: one of every run's, and one of all that is around the runs.
std::vector<std::string> check_schema(const nlohmann::ordered_json& document);

}  // namespace gilscope
