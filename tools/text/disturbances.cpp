#include "tools/text/disturbances.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "tools/analysis/numbers.h"
#include "userspace/base/quote.h"

namespace gilscope {
namespace {

struct DisturbanceWords {
  const char* name;
  bool share;
  const char* value;
};
constexpr DisturbanceWords kWords[] = {
    {"steal", true, "share of their CPUs' time that the hypervisor took"},
    {"foreign", true, "share of their CPUs' time that other processes took"},
    {"throttled", false, "periods in which their cgroup was throttled"},
    {"stopped", false,
     "ways in which they were kept from running (a signal, a frozen cgroup, a machine asleep, a "
     "debugger)"},
    {"offline", false, "CPUs of theirs that were offline"},
    {"sched_ext", false, "BPF schedulers that came or went"},
    {"migrated_off_mask", false, "CPUs that their threads ran on and should not have"},
};

const DisturbanceWords* words_of(const std::string& kind) {
  const auto found =
      std::find_if(std::begin(kWords), std::end(kWords),
                   [&](const DisturbanceWords& words) { return kind == words.name; });
  return found == std::end(kWords) ? nullptr : found;
}

// The value of a disturbance limit that only a later version knows has no unit here.
std::string amount(const std::string& kind, double value) {
  const DisturbanceWords* words = words_of(kind);
  return (words && words->share ? percent(value) : count(value)).text();
}

void print_left_out(const Page& page) {
  const DisturbanceSummary& disturbances = page.summary.disturbances;
  page.paragraph(
      page.bold(fmt::format("Left out of every number here by limits: {} of {}.", disturbances.runs,
                            Wording::number_of(page.summary.measured_runs, "measured run"))));
  for (const auto& [name, kind] : disturbances.by_kind) {
    if (kind.hits == 0) continue;
    const DisturbanceWords* words = words_of(name);
    page.paragraph(
        fmt::format("  {}: {}; {}: above {}, up to {}.", printable(name),
                    Wording::number_of(kind.hits, "run"), words ? words->value : "its value",
                    amount(name, kind.limit), amount(name, kind.worst)),
        4);
  }
  for (const CellSummary& cell : page.summary.cells) {
    if (cell.disturbed == 0 || cell.runs > 0) continue;
    page.paragraph(
        fmt::format("  No run is left of {}: it has no numbers.", page.wording.cell(*cell.cell)),
        4);
  }
}

}  // namespace

void print_left_out_runs(const Page& page) {
  const DisturbanceSummary& disturbances = page.summary.disturbances;
  if (disturbances.runs > 0) print_left_out(page);
  std::vector<std::string> unknown;
  for (const auto& [name, kind] : disturbances.by_kind) {
    if (kind.not_judged == 0) continue;
    unknown.push_back(
        fmt::format("{} in {}", printable(name), Wording::number_of(kind.not_judged, "run")));
  }
  if (unknown.empty()) return;
  page.paragraph(
      fmt::format("Limits not judged, because their values could not be read, or come in "
                  "steps that are too coarse for so short a run: {}.",
                  Wording::list(unknown)),
      2);
}

std::string disturbances_of(const Run& run) {
  std::vector<std::string> hits;
  for (const Disturbance& result : run.disturbances) {
    if (!result.value) continue;
    hits.push_back(fmt::format("{} {} (limit {})", printable(result.kind),
                               amount(result.kind, *result.value),
                               amount(result.kind, result.limit)));
  }
  return Wording::list(hits);
}

}  // namespace gilscope
