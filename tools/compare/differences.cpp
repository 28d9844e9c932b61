#include "tools/compare/differences.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "tools/analysis/fact_text.h"
#include "tools/analysis/numbers.h"
#include "tools/analysis/statistics.h"
#include "userspace/base/natural_order.h"

namespace gilscope {
namespace {

using Values = std::set<std::string, NaturalOrder>;
using Reports = std::set<const ComparedReport*>;

struct Sides {
  std::vector<Member> a, b;
  Reports reports_a, reports_b;
};

Sides sides_of(const Contrast& contrast) {
  Sides sides;
  for (const CellPair& pair : contrast.cells) {
    for (const Member& member : pair.a) sides.a.push_back(member);
    for (const Member& member : pair.b) sides.b.push_back(member);
  }
  for (const Member& member : sides.a) sides.reports_a.insert(member.report);
  for (const Member& member : sides.b) sides.reports_b.insert(member.report);
  return sides;
}

std::string listed(const Values& values, bool decimals = false) {
  constexpr size_t kShown = 3;
  std::vector<std::string> sorted(values.begin(), values.end());
  if (decimals) std::ranges::sort(sorted, numerically_less);
  std::vector<std::string> some;
  for (const std::string& value : sorted) {
    if (some.size() == kShown) break;
    some.push_back(shortened(value));
  }
  std::string text = fmt::format("{}", fmt::join(some, ", "));
  if (values.size() > kShown) text += fmt::format(" and {} more", values.size() - kShown);
  return text;
}

// ---- reasons to refuse ----

Values cell_values(const std::vector<Member>& members, const std::string& key) {
  Values values;
  for (const Member& member : members) values.insert(member.cell->keys.at(key));
  return values;
}

Values setting_values(const Reports& reports, const std::string& setting) {
  Values values;
  for (const ComparedReport* report : reports) {
    const auto found = report->settings.values.find(setting);
    values.insert(found == report->settings.values.end() ? "(its default)" : found->second);
  }
  return values;
}

// The cell's key whose values a setting lists; empty where it lists none.
std::string cell_key_of(const std::string& setting) {
  for (const std::string& key : cell_keys()) {
    if (setting_of(key) == setting) return key;
  }
  return "";
}

// The values of a report's whole matrix, compared or not: whatever else runs in a block is part of
// the experiment.
Values matrix_values(const Reports& reports, const std::string& key) {
  Values values;
  for (const ComparedReport* report : reports) {
    Values of_one;
    for (const ComparedCell& cell : report->cells) of_one.insert(cell.keys.at(key));
    values.insert(fmt::format("{}", fmt::join(of_one, ", ")));
  }
  return values;
}

void refuse_other_specs(const Sides& sides, const Axis& axis, std::vector<std::string>& refusals) {
  std::set<std::string> settings;
  Reports all = sides.reports_a;
  all.insert(sides.reports_b.begin(), sides.reports_b.end());
  for (const ComparedReport* report : all) {
    for (const auto& [setting, value] : report->settings.values) settings.insert(setting);
  }
  for (const std::string& setting : settings) {
    if (!affects_measurement(setting) || setting == setting_of(axis.key)) continue;
    if (setting == "cpus_by" || setting_values(all, setting).size() < 2) continue;
    const std::string key = cell_key_of(setting);
    const auto values = [&](const Reports& reports) {
      return listed(key.empty() ? setting_values(reports, setting) : matrix_values(reports, key));
    };
    // Both sides may be split into the same parts: a matrix of boots has a report for each CPU
    // count.
    if (!key.empty() && matrix_values(sides.reports_a, key) == matrix_values(sides.reports_b, key))
      continue;
    const std::string a = values(sides.reports_a), b = values(sides.reports_b);
    refusals.push_back(a == b
                           ? fmt::format("their specs differ in {}: {}", setting, a)
                           : fmt::format("their specs differ in {}: {} against {}", setting, a, b));
  }
}

void refuse_other_methods(const Sides& sides, std::vector<std::string>& refusals) {
  const Values a = cell_values(sides.a, "cpus_by"), b = cell_values(sides.b, "cpus_by");
  if (a == b && a.size() == 1) return;
  refusals.push_back(
      fmt::format("their CPUs were set apart by different methods (cpus_by: {} against {})",
                  listed(a), listed(b)));
}

void refuse_emulated(const Sides& sides, std::vector<std::string>& refusals) {
  const auto emulated = [](const Reports& reports) {
    return std::ranges::any_of(reports, [](const ComparedReport* r) { return r->emulated; });
  };
  if (emulated(sides.reports_a) == emulated(sides.reports_b)) return;
  refusals.push_back("one side ran on emulated CPUs and the other on real ones");
}

// ---- what else differs ----

// The report's own identity and time, and counters that only grow.
bool moves_anyway(const std::string& key) {
  static const Values always{"id", "environment.host.boot_id", "environment.memory.total_bytes",
                             "environment.before.kernel.sched_ext.enable_seq",
                             "environment.before.cgroup.throttled_periods",
                             "environment.before.cpu.thermal_throttles",
                             // These grow with the machine's memory, and end a run or do nothing.
                             "environment.limits.processes", "environment.limits.open_files"};
  if (always.contains(key)) return true;
  constexpr std::string_view kBefore = "environment.before.";
  return key.starts_with(kBefore) && !is_setting(key.substr(kBefore.size()));
}

// Whether `key` is another name for what is compared.
bool follows(const std::string& key, const Axis& axis) {
  static const Values kernel{"environment.kernel.release",       "environment.kernel.version",
                             "environment.kernel.build",         "environment.kernel.build_id",
                             "environment.kernel.config_sha256", "environment.kernel.livepatches"};
  static const Values host{"environment.host.name", "environment.host.machine_id_sha256",
                           "environment.host.product_uuid_sha256"};
  for (const Values* names : {&kernel, &host}) {
    const bool asked =
        names->contains(axis.key) ||
        std::ranges::any_of(axis.within, [&](const auto& k) { return names->contains(k); });
    if (asked && names->contains(key)) return true;
  }
  return false;
}

// Facts that gilscope has recorded, if only as null, from some version on: a report without them
// comes from an older gilscope, and their absence says nothing about its machine.
bool is_always_recorded(const std::string& key) {
  constexpr std::string_view kParts[] = {"environment.before.process.",
                                         "environment.before.cgroup.", "environment.limits.",
                                         "environment.tool.", "environment.host."};
  return std::ranges::any_of(kParts, [&](std::string_view part) { return key.starts_with(part); });
}

bool asked_for(const std::string& key, const Axis& axis) {
  return key == axis.key || key == kByReport || std::ranges::count(axis.within, key) > 0;
}

Values report_values(const Reports& reports, const std::string& key) {
  Values values;
  for (const ComparedReport* report : reports) {
    const auto found = report->keys.find(key);
    if (found != report->keys.end()) {
      values.insert(found->second);
    } else if (!is_always_recorded(key)) {
      values.insert("unknown");
    }
  }
  return values;
}

bool are_decimals(const Reports& reports, const std::string& key) {
  return std::ranges::any_of(reports, [&](const auto* r) { return r->decimals.contains(key); });
}

// The number of blocks is no reason to refuse, so it is named here.
void add_blocks(const Sides& sides, std::vector<Difference>& differences) {
  const auto planned = [](const Reports& reports) {
    Values values;
    for (const ComparedReport* report : reports) {
      values.insert(std::to_string(report->blocks_planned));
    }
    return values;
  };
  const Values a = planned(sides.reports_a), b = planned(sides.reports_b);
  if (a != b) differences.push_back({"blocks planned", listed(a), listed(b)});
}

std::set<std::string> report_keys(const Sides& sides) {
  std::set<std::string> keys;
  for (const Reports* reports : {&sides.reports_a, &sides.reports_b}) {
    for (const ComparedReport* report : *reports) {
      for (const auto& [key, value] : report->keys) keys.insert(key);
    }
  }
  return keys;
}

std::optional<double> median_share(const std::vector<Member>& members,
                                   std::vector<double> ComparedCell::*shares) {
  std::vector<double> all;
  for (const Member& member : members) {
    const auto& of_cell = member.cell->*shares;
    all.insert(all.end(), of_cell.begin(), of_cell.end());
  }
  return median(std::move(all));
}

std::optional<double> stolen_share(const std::vector<Member>& members, double exact_to) {
  StealTotal all;
  for (const Member& member : members) all.add(member.cell->stolen);
  return all.share(exact_to);
}

// How many CPUs "all" were, wherever that was asked for.
Values sizes_of_all(const std::vector<Member>& members) {
  Values values;
  for (const Member& member : members) {
    if (member.cell->keys.at("cpus") != "all" || member.cell->cpu_count == 0) continue;
    values.insert(std::to_string(member.cell->cpu_count));
  }
  return values;
}

// "all" is the same cell on machines of different sizes.
void add_cpus_of_all(const Sides& sides, std::vector<Difference>& differences) {
  const Values a = sizes_of_all(sides.a), b = sizes_of_all(sides.b);
  if (a.empty() || b.empty() || (a == b && a.size() == 1)) return;
  differences.push_back({"all CPUs", listed(a), listed(b)});
}

// Disturbances by others on the machine, which no setting shows.
void add_disturbances(const Sides& sides, std::vector<Difference>& differences) {
  constexpr double kWorthSaying = 0.03;
  const auto shares = [&](const char* name, std::optional<double> a, std::optional<double> b) {
    if (!a || !b || std::abs(*a - *b) < kWorthSaying) return;
    differences.push_back({name, percent(a).text(), percent(b).text()});
  };
  shares("CPU time of other processes", median_share(sides.a, &ComparedCell::foreign),
         median_share(sides.b, &ComparedCell::foreign));
  shares("CPU time stolen by the hypervisor", stolen_share(sides.a, kWorthSaying),
         stolen_share(sides.b, kWorthSaying));

  struct DisturbedRuns {
    size_t runs = 0, disturbed = 0;
    Values disturbances;
    double share() const { return runs ? double(disturbed) / double(runs) : 0; }
    std::string text() const {
      const std::string by =
          disturbances.empty() ? "" : fmt::format(" ({})", fmt::join(disturbances, ", "));
      return fmt::format("{} of {}{}", disturbed, runs, by);
    }
  };
  const auto disturbed = [](const std::vector<Member>& members) {
    DisturbedRuns sum;
    for (const Member& member : members) {
      sum.runs += member.cell->runs;
      sum.disturbed += member.cell->disturbed;
      for (const auto& [kind, runs] : member.cell->disturbances) sum.disturbances.insert(kind);
    }
    return sum;
  };
  const DisturbedRuns a = disturbed(sides.a), b = disturbed(sides.b);
  if (std::abs(a.share() - b.share()) >= kWorthSaying) {
    differences.push_back({"runs left out by limits", a.text(), b.text()});
  }
}

void add_variations(const std::string& side, const Reports& reports, const Sides& sides,
                    const Axis& axis, std::vector<Variation>& variations) {
  for (const std::string& key : report_keys(sides)) {
    // Machines are estimated apart, and so vary by themselves.
    if (moves_anyway(key) || asked_for(key, axis) || key.starts_with("environment.host.")) continue;
    const Values values = report_values(reports, key);
    if (values.size() > 1)
      variations.push_back({side, key, listed(values, are_decimals(reports, key))});
  }
}

// "all" may be several counts within one side, which no other key need show.
void add_sizes_of_all(const std::string& side, const std::vector<Member>& members, const Axis& axis,
                      std::vector<Variation>& variations) {
  constexpr const char* kKey = "cpu.count";
  const std::string full = std::string("environment.") + kKey;
  const bool printed = std::ranges::any_of(variations, [&](const Variation& variation) {
    return variation.side == side && variation.key == full;
  });
  if (printed || asked_for(full, axis)) return;
  const Values counts = sizes_of_all(members);
  if (counts.size() > 1) variations.push_back({side, kKey, listed(counts, true)});
}

}  // namespace

Differences differences(const Contrast& contrast, const Axis& axis) {
  const Sides sides = sides_of(contrast);
  Differences found;
  refuse_other_specs(sides, axis, found.refusals);
  refuse_other_methods(sides, found.refusals);
  refuse_emulated(sides, found.refusals);
  add_cpus_of_all(sides, found.between);
  add_disturbances(sides, found.between);
  for (const std::string& key : report_keys(sides)) {
    if (moves_anyway(key) || asked_for(key, axis) || follows(key, axis)) continue;
    const Values a = report_values(sides.reports_a, key), b = report_values(sides.reports_b, key);
    if (a.empty() || b.empty() || a == b) continue;
    const bool decimals = are_decimals(sides.reports_a, key) || are_decimals(sides.reports_b, key);
    found.between.push_back({key, listed(a, decimals), listed(b, decimals)});
  }
  add_blocks(sides, found.between);
  add_variations(contrast.a, sides.reports_a, sides, axis, found.within);
  add_variations(contrast.b, sides.reports_b, sides, axis, found.within);
  add_sizes_of_all(contrast.a, sides.a, axis, found.within);
  add_sizes_of_all(contrast.b, sides.b, axis, found.within);
  return found;
}

}  // namespace gilscope
