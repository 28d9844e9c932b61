// The settings of a report's spec, as far as comparing needs them. The spec is not trusted and may
// come from a later gilscope, so it is read as plain TOML, with its keys unchecked.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "userspace/base/result.h"

namespace gilscope {

struct Report;

struct SpecSettings {
  // "trace" -> "full", "gates.foreign" -> "0.1"; lists as "a, b", sorted. Settings that are not
  // there have gilscope's default, where it has one.
  std::map<std::string, std::string> values;
  std::vector<std::string> metrics;  // the primary ones that it declares
};

Result<SpecSettings> spec_settings(const Report& report, const std::string& origin);

// Whether different values of this setting mean different measurements. The name and the number of
// blocks do not.
bool affects_measurement(const std::string& setting);

// The setting that lists a cell's key: "policies" for "policy"; empty: none does.
std::string setting_of(const std::string& cell_key);

}  // namespace gilscope
