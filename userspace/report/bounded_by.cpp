// Reports since 1.3 say what ends a run of each cell. For older ones it is derived here, and only
// here, from the workload's name and parameters and from results that only a time-bounded workload
// has.
#include <algorithm>
#include <array>
#include <string_view>

#include "userspace/base/term.h"
#include "userspace/report/model.h"

namespace gilscope {
namespace {

// The workloads that up to 1.2 always lasted for their parameter `seconds`.
constexpr std::array<std::string_view, 7> kTimed{"latency", "bandwidth", "echo", "file",
                                                 "convoy",  "ping-pong", "yield"};

bool has_seconds(const Term& term) {
  return std::ranges::any_of(term.arguments,
                             [](const Argument& argument) { return argument.key == "seconds"; });
}

bool derived(const Cell& cell) {
  if (const auto term = parse_term(cell.workload)) {
    if (std::ranges::find(kTimed, term->name) != kTimed.end()) return true;
    if (term->name == "mixed") return has_seconds(*term);
  }
  return std::ranges::any_of(cell.runs, [](const Run& run) {
    return run.workload.contains("sent") || run.workload.contains("latency_samples");
  });
}

}  // namespace

bool bounded_by_time(const Cell& cell) {
  return cell.bounded_by.empty() ? derived(cell) : cell.bounded_by == "time";
}

}  // namespace gilscope
