// What the spec in a report asked for, setting by setting, as far as comparing needs it. A report's
// spec is not believed, and may be of a later gilscope: it is read as TOML, and its keys as they
// stand.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "userspace/report/model.h"
#include "userspace/util/result.h"

namespace gilscope {

struct SpecSettings {
  // "trace" -> "full", "gates.foreign" -> "0.1"; lists as "a, b", sorted. What is not said has its
  // default where gilscope has one.
  std::map<std::string, std::string> values;
  std::vector<std::string> metrics;  // the primary ones that it declares
};

Result<SpecSettings> spec_settings(const Report& report, const std::string& origin);

// Whether two experiments with different values of this measured different things: not its name,
// nor how many blocks there were.
bool changes_what_is_measured(const std::string& setting);

// The setting that lists a cell's key: "policies" for "policy"; empty: none does.
std::string setting_of(const std::string& cell_key);

}  // namespace gilscope
