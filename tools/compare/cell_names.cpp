#include "tools/compare/cell_names.h"

#include <fmt/ranges.h>

#include <set>

#include "tools/analysis/fact_text.h"

namespace gilscope {
std::string value_name(const std::string& key, const std::string& value) {
  if (key == "policy" || key == "workload" || key == "arrangement") return value;
  if (key == "threads" && value.ends_with('x')) {
    return value.substr(0, value.size() - 1) + (value == "1x" ? " thread" : " threads") + " a CPU";
  }
  if (key == "threads") return value + (value == "1" ? " thread" : " threads");
  if (key == "cpus") {
    if (value == "all") return "all CPUs";
    if (value.starts_with("cpu:")) return "CPUs " + value.substr(4);
    return value + (value == "1" ? " CPU" : " CPUs");
  }
  return shortened(key.substr(key.rfind('.') + 1) + " " + value);
}

CellNames::CellNames(const std::vector<Contrast>& contrasts) {
  std::map<std::string, std::set<std::string>> values;
  for (const Contrast& contrast : contrasts) {
    for (const auto* cells : {&contrast.cells, &contrast.only_a, &contrast.only_b}) {
      for (const CellPair& pair : *cells) {
        for (const auto& [key, value] : pair.keys) values[key].insert(value);
      }
    }
  }
  for (const auto& [key, all] : values) varies_[key] = all.size() > 1;
}

std::string CellNames::of(const CellPair& pair) const {
  std::vector<std::string> parts;
  const auto add = [&](const std::string& key, bool always) {
    const auto found = pair.keys.find(key);
    if (found == pair.keys.end()) return;
    const auto varies = varies_.find(key);
    if (always || (varies != varies_.end() && varies->second)) {
      parts.push_back(value_name(key, found->second));
    }
  };
  // There is always a policy to name, unless it is what is compared.
  for (const std::string& key : cell_keys()) add(key, key == "policy" || key == "arrangement");
  for (const auto& [key, value] : pair.keys) {
    if (key.find('.') != std::string::npos) add(key, true);
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

}  // namespace gilscope
