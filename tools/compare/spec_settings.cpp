#include "tools/compare/spec_settings.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "userspace/base/natural_order.h"
#include "userspace/base/quote.h"
#include "userspace/base/toml.h"
#include "userspace/report/model.h"

namespace gilscope {
namespace {

std::string text_of(const toml::node& node) {
  if (const auto* text = node.as_string()) return printable(text->get());
  if (const auto* value = node.as_boolean()) return value->get() ? "true" : "false";
  if (const auto* number = node.as_integer()) return std::to_string(number->get());
  if (const auto* number = node.as_floating_point()) return fmt::format("{}", number->get());
  const toml::array* list = node.as_array();
  if (!list) return "?";
  std::vector<std::string> texts;
  for (const toml::node& element : *list) texts.push_back(text_of(element));
  std::ranges::sort(texts, naturally_less);
  return fmt::format("{}", fmt::join(texts, ", "));
}

// Of userspace/experiment/plan/spec.h.
const std::map<std::string, std::string>& defaults() {
  static const std::map<std::string, std::string> values{
      {"trace", "full"},
      {"untraced", "true"},
      {"perf", "false"},
  };
  return values;
}

}  // namespace

Result<SpecSettings> spec_settings(const Report& report, const std::string& origin) {
  const auto table = parse_toml(report.spec, "the spec in " + origin);
  if (!table) return fail(Exit::no_data, table.error().message);
  SpecSettings settings;
  settings.values = defaults();
  for (const auto& [key, node] : *table) {
    const std::string name = printable(key.str());
    if (const toml::table* inner = node.as_table()) {
      for (const auto& [kind, limit] : *inner) {
        const std::string value = text_of(limit);
        if (value == "true") continue;  // the default
        settings.values[name + "." + printable(kind.str())] = value == "off" ? "false" : value;
      }
    } else if (name == "metrics") {
      if (node.is_string()) settings.metrics.push_back(text_of(node));
      if (const toml::array* list = node.as_array()) {
        for (const toml::node& element : *list) settings.metrics.push_back(text_of(element));
      }
    } else {
      settings.values[name] = text_of(node);
    }
  }
  return settings;
}

bool affects_measurement(const std::string& setting) {
  static const std::set<std::string> harmless{"name", "blocks", "warmup", "seed", "claim"};
  return !harmless.contains(setting);
}

std::string setting_of(const std::string& cell_key) {
  if (cell_key == "policy") return "policies";
  if (cell_key == "workload") return "workloads";
  if (cell_key == "arrangement") return "arrangements";
  return cell_key;
}

}  // namespace gilscope
