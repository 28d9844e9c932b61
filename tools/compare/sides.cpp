#include "tools/compare/sides.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "tools/analysis/fact_text.h"
#include "tools/analysis/wording.h"
#include "userspace/base/natural_order.h"
#include "userspace/base/quote.h"
#include "userspace/base/term.h"

namespace gilscope {
namespace {

constexpr size_t kNamed = 8;

std::set<std::string> known_keys(const std::vector<ComparedReport>& reports) {
  std::set<std::string> keys{kByReport};
  keys.insert(cell_keys().begin(), cell_keys().end());
  for (const ComparedReport& report : reports) {
    for (const auto& [key, value] : report.keys) keys.insert(key);
  }
  return keys;
}

Result<std::string> resolved(const std::string& name, const std::set<std::string>& keys) {
  if (name == "host") return "environment.host.name";
  if (name == "kernel") return "environment.kernel.release";
  for (const char* prefix : {"", "environment.", "environment.before."}) {
    if (keys.contains(prefix + name)) return prefix + name;
  }
  const std::string near = nearest(name, {keys.begin(), keys.end()});
  return fail(fmt::format("no report has a key {}: {}", in_quotes(name),
                          near.empty()
                              ? "a cell has " + fmt::format("{}", fmt::join(cell_keys(), ", ")) +
                                    "; `gilscope env` prints those of the environment"
                              : fmt::format("did you mean '{}'?", near)));
}

template <typename Visitor>
void for_each_member(const std::vector<ComparedReport>& reports, Visitor visit) {
  for (const ComparedReport& report : reports) {
    for (const ComparedCell& cell : report.cells) visit(Member{&report, &cell});
  }
}

// The name of an argument, which is its level. Equal names are numbered.
std::string argument_name(const std::vector<ComparedReport>& reports, size_t argument) {
  for (const ComparedReport& report : reports) {
    if (report.argument == argument) return report.keys.at(kByReport);
  }
  return "";
}

std::vector<std::string> arguments(const std::vector<ComparedReport>& reports) {
  std::set<size_t> seen;
  for (const ComparedReport& report : reports) seen.insert(report.argument);
  std::vector<std::string> names;
  for (const size_t argument : seen) names.push_back(argument_name(reports, argument));
  return names;
}

// Suggests keys by which the reports do differ.
std::string keys_that_vary(const std::vector<ComparedReport>& reports) {
  std::vector<std::string> vary;
  for (const std::string& key : cell_keys()) {
    std::set<std::string> values;
    for_each_member(reports, [&](const Member& member) { values.insert(*value_of(member, key)); });
    if (values.size() > 1) vary.push_back(key);
  }
  if (vary.empty()) return "give it a second report";
  return "they differ in " + Wording::list(vary);
}

// The reports know whether a value such as 6.12 is a decimal or a version.
bool are_decimals(const std::vector<ComparedReport>& reports, const std::string& key) {
  return std::ranges::any_of(reports, [&](const auto& r) { return r.decimals.contains(key); });
}

std::map<std::string, std::string> identity(const Member& member, const Axis& axis) {
  std::map<std::string, std::string> keys;
  for (const std::string& key : cell_keys()) {
    // Different methods of limiting CPUs make no cells of their own, but a reason to refuse.
    if (key != axis.key && key != "cpus_by") keys[key] = member.cell->keys.at(key);
  }
  for (const std::string& key : axis.within) keys[key] = value_of(member, key).value_or("unknown");
  return keys;
}

std::string text_of(const std::map<std::string, std::string>& keys) {
  std::vector<std::string> values;
  for (const std::string& key : cell_keys()) {
    if (const auto found = keys.find(key); found != keys.end()) values.push_back(found->second);
  }
  return fmt::format("{}", fmt::join(values, " "));
}

Status no_common_cell(const Contrast& contrast, const Axis& axis) {
  const auto some = [](const auto& cells) {
    return cells.empty() ? std::string("no cell") : text_of(cells.front().keys);
  };
  return fail(Exit::no_data,
              fmt::format("{} and {} have no cell in common by {}: there is {} in the one and {} "
                          "in the other; compare by what they differ in",
                          in_quotes(contrast.a), in_quotes(contrast.b), axis.key,
                          in_quotes(some(contrast.only_a)), in_quotes(some(contrast.only_b))));
}

}  // namespace

RunTally runs_of(const std::vector<Member>& members) {
  RunTally sum;
  for (const Member& member : members) sum += member.cell->tally.all();
  return sum;
}

std::optional<std::string> value_of(const Member& member, const std::string& key) {
  if (const auto found = member.cell->keys.find(key); found != member.cell->keys.end()) {
    return found->second;
  }
  const auto found = member.report->keys.find(key);
  return found == member.report->keys.end() ? std::nullopt : std::optional(found->second);
}

// People look for threaded cells first.
bool comes_before(const std::map<std::string, std::string>& a,
                  const std::map<std::string, std::string>& b) {
  const auto of = [](const auto& keys, const std::string& key) {
    const auto found = keys.find(key);
    return found == keys.end() ? std::string() : found->second;
  };
  const bool first = of(a, "arrangement") == "threaded",
             second = of(b, "arrangement") == "threaded";
  if (first != second) return first;
  for (const std::string& key : cell_keys()) {
    if (of(a, key) != of(b, key)) return naturally_less(of(a, key), of(b, key));
  }
  return a < b;
}

Result<std::vector<ComparedReport>> without_duplicates(std::vector<ComparedReport> reports,
                                                       bool by_report) {
  std::map<std::pair<size_t, std::string>, size_t> places;
  std::vector<ComparedReport> once;
  for (ComparedReport& report : reports) {
    const auto [place, fresh] =
        places.emplace(std::pair(by_report ? report.argument : 0, report.id), once.size());
    if (fresh) {
      once.push_back(std::move(report));
    } else if (const ComparedReport& other = once[place->second]; other.digest != report.digest) {
      return fail(
          fmt::format("{} and {} have the same id and other contents: gilscope merge says "
                      "whether one is a later state of the other",
                      in_quotes(other.origin), in_quotes(report.origin)));
    }
  }
  return once;
}

Result<Axis> axis_of(const std::vector<ComparedReport>& reports, const SidesRequest& request) {
  const std::set<std::string> keys = known_keys(reports);
  Axis axis;
  axis.key = kByReport;
  if (!request.by.empty()) {
    const auto key = resolved(request.by, keys);
    if (!key) return fail(key.error());
    axis.key = *key;
  }
  for (const std::string& name : request.within) {
    const auto key = resolved(name, keys);
    if (!key) return fail(key.error());
    if (*key == axis.key) {
      return fail(fmt::format("{} is compared by, and cannot be held fixed; name it once",
                              in_quotes(name)));
    }
    axis.within.push_back(*key);
  }
  if (axis.key == kByReport) {
    axis.levels = arguments(reports);
  } else {
    std::set<std::string> levels;
    std::string without;
    for_each_member(reports, [&](const Member& member) {
      const auto value = value_of(member, axis.key);
      if (value) levels.insert(*value);
      if (!value) without = member.report->origin;
    });
    if (!without.empty()) {
      return fail(Exit::no_data,
                  fmt::format("{} does not say what its {} was; leave it out", without, axis.key));
    }
    axis.levels.assign(levels.begin(), levels.end());
    std::ranges::sort(axis.levels,
                      are_decimals(reports, axis.key) ? numerically_less : naturally_less);
  }
  if (axis.levels.size() < 2) {
    const std::string all =
        axis.levels.empty() ? "no cell" : shortened(axis.key + " " + axis.levels.front());
    return fail(Exit::no_data, fmt::format("nothing to compare: there is only {}; {}, which --by "
                                           "compares",
                                           all, keys_that_vary(reports)));
  }
  if (request.baseline) {
    const auto found = std::ranges::find(axis.levels, *request.baseline);
    if (found == axis.levels.end()) {
      std::vector<std::string> some(
          axis.levels.begin(), axis.levels.begin() + long(std::min(axis.levels.size(), kNamed)));
      return fail(fmt::format("no {} is {}: there are {}", axis.key, in_quotes(*request.baseline),
                              fmt::join(some, ", ")));
    }
    std::rotate(axis.levels.begin(), found, found + 1);
  }
  return axis;
}

Result<std::vector<Contrast>> contrasts_of(const std::vector<ComparedReport>& reports,
                                           const Axis& axis) {
  using Keys = std::map<std::string, std::string>;
  std::map<std::string, std::map<Keys, std::vector<Member>>> by_level;
  for_each_member(reports, [&](const Member& member) {
    const auto level = value_of(member, axis.key);
    if (level) by_level[*level][identity(member, axis)].push_back(member);
  });
  std::vector<Contrast> contrasts;
  bool any = false;
  for (const std::string& level : axis.levels) {
    if (level == axis.levels.front()) continue;
    Contrast& contrast = contrasts.emplace_back();
    contrast.a = axis.levels.front();
    contrast.b = level;
    const auto& of_a = by_level[contrast.a];
    const auto& of_b = by_level[contrast.b];
    for (const auto& [keys, members] : of_a) {
      const auto found = of_b.find(keys);
      if (found == of_b.end()) {
        contrast.only_a.push_back({keys, members, {}});
      } else {
        contrast.cells.push_back({keys, members, found->second});
      }
    }
    for (const auto& [keys, members] : of_b) {
      if (!of_a.contains(keys)) contrast.only_b.push_back({keys, {}, members});
    }
    for (std::vector<CellPair>* cells : {&contrast.cells, &contrast.only_a, &contrast.only_b}) {
      std::ranges::stable_sort(*cells, comes_before, &CellPair::keys);
    }
    any = any || !contrast.cells.empty();
  }
  if (!any) return fail(no_common_cell(contrasts.front(), axis).error());
  return contrasts;
}

}  // namespace gilscope
