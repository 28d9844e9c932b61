#include "tools/compare/per_acquire.h"

#include <algorithm>
#include <set>

#include "tools/compare/cell_names.h"
#include "tools/compare/sentences.h"
#include "userspace/base/natural_order.h"

namespace gilscope {
namespace {

using Keys = std::map<std::string, std::string>;
struct Values {
  std::array<std::optional<double>, 3> medians;
  bool emulated = false;
};

Keys without_cpus(Keys keys) {
  keys.erase("cpus");
  return keys;
}

std::string cpus_of(const Keys& keys) {
  const auto found = keys.find("cpus");
  return found == keys.end() ? "" : found->second;
}

Values values_of(const CellResult& cell, bool baseline) {
  Values values;
  values.emulated = std::ranges::any_of(baseline ? cell.pair->a : cell.pair->b,
                                        [](const Member& m) { return m.report->emulated; });
  for (const MetricResult& result : cell.metrics) {
    const auto place =
        std::ranges::find(PerAcquire::kMetrics, std::string_view(metrics()[result.metric].name));
    if (place == PerAcquire::kMetrics.end()) continue;
    values.medians[size_t(place - PerAcquire::kMetrics.begin())] =
        baseline ? result.median_a : result.median_b;
  }
  return values;
}

// The values of one cell by level; the baseline's come from the first contrast that has the cell.
std::map<std::string, Values> by_level(const Comparison& comparison, const Keys& keys) {
  std::map<std::string, Values> levels;
  for (const ContrastResult& contrast : comparison.results) {
    for (const CellResult& cell : contrast.cells) {
      if (cell.pair->keys != keys) continue;
      levels.emplace(contrast.contrast->a, values_of(cell, true));
      levels.emplace(contrast.contrast->b, values_of(cell, false));
    }
  }
  return levels;
}

bool naturally_before(const Keys& a, const Keys& b) {
  return naturally_less(cpus_of(a), cpus_of(b));
}

bool worth_a_table(const Comparison& comparison) {
  return comparison.emulated() || comparison.axis.levels.size() > 2 ||
         comparison.axis.key.starts_with("environment.kernel.");
}

}  // namespace

Number PerAcquire::number(const std::optional<double>& value) {
  return value ? Number{fmt::format("{:.3g}", *value), ""} : Number{"-", ""};
}

PerAcquire per_acquire(const Comparison& comparison) {
  PerAcquire all;
  all.emulated = comparison.emulated();
  if (!worth_a_table(comparison)) return all;
  // By all keys of a cell but its CPUs.
  std::map<Keys, std::vector<Keys>, decltype(&comes_before)> cells(&comes_before);
  for (const ContrastResult& contrast : comparison.results) {
    for (const CellResult& cell : contrast.cells) {
      auto& of_group = cells[without_cpus(cell.pair->keys)];
      if (std::ranges::count(of_group, cell.pair->keys) == 0) of_group.push_back(cell.pair->keys);
    }
  }
  std::vector<Contrast> named = comparison.contrasts;
  for (Contrast& contrast : named) {
    for (auto* cells : {&contrast.cells, &contrast.only_a, &contrast.only_b}) {
      for (CellPair& pair : *cells) pair.keys = without_cpus(pair.keys);
    }
  }
  const CellNames names(named);
  for (auto& [keys, with_cpus] : cells) {
    std::ranges::stable_sort(with_cpus, naturally_before);
    PerAcquire::Group group;
    group.title = names.of({keys, {}, {}});
    for (const std::string& level : comparison.axis.levels) {
      for (const Keys& cell : with_cpus) {
        const auto levels = by_level(comparison, cell);
        const auto found = levels.find(level);
        if (found == levels.end()) continue;
        const std::string cpus = cpus_of(cell);
        group.rows.push_back({level_name(comparison.axis, level) +
                                  (cpus.empty() ? "" : ", " + value_name("cpus", cpus)),
                              found->second.medians, found->second.emulated});
      }
    }
    all.groups.push_back(std::move(group));
  }
  return all;
}

}  // namespace gilscope
