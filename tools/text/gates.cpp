#include "tools/text/gates.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "tools/analysis/numbers.h"
#include "userspace/base/quote.h"

namespace gilscope {
namespace {

struct GateWords {
  const char* name;
  bool share;
  const char* value;
};
constexpr GateWords kWords[] = {
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

const GateWords* words_of(const std::string& gate) {
  const auto found = std::find_if(std::begin(kWords), std::end(kWords),
                                  [&](const GateWords& words) { return gate == words.name; });
  return found == std::end(kWords) ? nullptr : found;
}

// The value of a gate that only a later version knows has no unit here.
std::string amount(const std::string& gate, double value) {
  const GateWords* words = words_of(gate);
  return (words && words->share ? percent(value) : count(value)).text();
}

void print_left_out(const Page& page) {
  const GateSummary& gates = page.summary.gates;
  page.paragraph(
      page.bold(fmt::format("Left out of every number here by gates: {} of {}.", gates.runs,
                            Wording::number_of(page.summary.measured_runs, "measured run"))));
  for (const auto& [name, gate] : gates.by_gate) {
    if (gate.hits == 0) continue;
    const GateWords* words = words_of(name);
    page.paragraph(
        fmt::format("  {}: {}; {}: above {}, up to {}.", printable(name),
                    Wording::number_of(gate.hits, "run"), words ? words->value : "its value",
                    amount(name, gate.limit), amount(name, gate.worst)),
        4);
  }
  for (const CellSummary& cell : page.summary.cells) {
    if (cell.gated == 0 || cell.runs > 0) continue;
    page.paragraph(
        fmt::format("  No run is left of {}: it has no numbers.", page.wording.cell(*cell.cell)),
        4);
  }
}

}  // namespace

void print_gates(const Page& page) {
  const GateSummary& gates = page.summary.gates;
  if (gates.runs > 0) print_left_out(page);
  std::vector<std::string> unknown;
  for (const auto& [name, gate] : gates.by_gate) {
    if (gate.not_judged == 0) continue;
    unknown.push_back(
        fmt::format("{} in {}", printable(name), Wording::number_of(gate.not_judged, "run")));
  }
  if (unknown.empty()) return;
  page.paragraph(fmt::format("Gates not judged, because their values could not be read, or come in "
                             "steps that are too coarse for so short a run: {}.",
                             Wording::list(unknown)),
                 2);
}

std::string gates_of(const Run& run) {
  std::vector<std::string> hits;
  for (const GateResult& result : run.gates) {
    if (!result.value) continue;
    hits.push_back(fmt::format("{} {} (limit {})", printable(result.gate),
                               amount(result.gate, *result.value),
                               amount(result.gate, result.limit)));
  }
  return Wording::list(hits);
}

}  // namespace gilscope
