#include "tools/text/headline.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "tools/analysis/environment_changes.h"
#include "tools/analysis/fact_text.h"
#include "tools/analysis/subject_words.h"
#include "tools/analysis/wait_words.h"
#include "tools/text/report.h"
#include "userspace/base/quote.h"

namespace gilscope {
namespace {

constexpr size_t kNamed = 3;

// "Faster: a 1.6x; b 12 %."
std::string others(const std::vector<Finding>& all, size_t but, Verdict verdict,
                   const char* heading) {
  std::vector<std::string> parts;
  size_t more = 0;
  for (size_t i = 0; i < all.size(); ++i) {
    if (i == but || all[i].kind != verdict || !all[i].factor) continue;
    if (parts.size() == kNamed) {
      ++more;
    } else {
      parts.push_back(all[i].about + " " + distance(*all[i].factor));
    }
  }
  if (parts.empty()) return "";
  if (more) parts.push_back(fmt::format("{} more", more));
  return fmt::format("{}: {}. ", heading, fmt::join(parts, "; "));
}

std::string counted(const std::vector<Finding>& all, size_t but, Verdict verdict,
                    const char* heading) {
  size_t count = 0;
  for (size_t i = 0; i < all.size(); ++i) {
    if (i != but && all[i].kind == verdict && all[i].factor) ++count;
  }
  return count ? fmt::format("{}: {}. ", heading, Wording::number_of(count, "cell")) : "";
}

std::string trimmed(std::string text) {
  text.erase(text.find_last_not_of(' ') + 1);
  return text;
}

std::string rest_of(const std::vector<Finding>& all, size_t but, const Summary& summary) {
  if (summary.times.emulated) {
    const size_t more = all.size() - 1;
    return more ? fmt::format("{} more with --all.", Wording::number_of(more, "cell")) : "";
  }
  const bool slower_first = but < all.size() && all[but].kind == Verdict::slower;
  return trimmed(others(all, but, Verdict::slower, slower_first ? "Slower, too" : "Slower") +
                 others(all, but, Verdict::faster, "Faster") +
                 counted(all, but, Verdict::same, "The same") +
                 counted(all, but, Verdict::undecided, "Undecided"));
}

// ---- what limits it ----

std::string losses(const Summary& summary) {
  const LossSummary& lost = summary.lost;
  if (lost.traced_runs == 0) return "Nothing was traced.";
  std::vector<std::string> parts;
  const auto add = [&](uint64_t n, const char* one, const char* many) {
    if (n) parts.push_back(fmt::format("{} {}", n, n == 1 ? one : many));
  };
  add(lost.sum.segments, "segment record", "segment records");
  add(lost.sum.discarded, "timestamp out of order", "timestamps out of order");
  add(lost.sum.censored, "wait that the window cut off", "waits that the window cut off");
  add(lost.sum.untracked_threads, "untracked thread", "untracked threads");
  add(lost.sum.missed_switches, "switch not reported by sched_switch",
      "switches not reported by sched_switch");
  add(lost.sum.recursion_misses, "event, which makes counters too low",
      "events, which makes counters too low");
  const std::string runs = Wording::number_of(lost.traced_runs, "traced run");
  const uint64_t late = lost.sum.window_late_ns.value_or(0);
  if (late) {
    parts.push_back(fmt::format("up to {} of each CPU's time", duration(double(late)).text()));
  }
  if (parts.empty()) return fmt::format("Nothing was lost in {}.", runs);
  return fmt::format("Lost in {}: {}.", runs, Wording::list(parts));
}

std::string limits(const Summary& summary, const Wording& wording) {
  const DisturbanceSummary& disturbances = summary.disturbances;
  std::string text;
  std::vector<std::string> hit, unknown;
  for (const auto& [name, kind] : disturbances.by_kind) {
    if (kind.hits) hit.push_back(fmt::format("{} {}", printable(name), kind.hits));
    if (kind.not_judged) {
      unknown.push_back(
          fmt::format("{} in {}", printable(name), Wording::number_of(kind.not_judged, "run")));
    }
  }
  if (disturbances.runs) {
    text =
        fmt::format("Left out by limits: {} of {} ({}). ", disturbances.runs,
                    Wording::number_of(summary.measured_runs, "measured run"), Wording::list(hit));
  }
  std::vector<std::string> empty;
  for (const CellSummary& cell : summary.cells) {
    if (cell.disturbed && !cell.runs) empty.push_back(wording.cell(*cell.cell));
  }
  if (!empty.empty()) {
    text += fmt::format("No run is left of {}{}. ", empty.front(),
                        empty.size() > 1 ? fmt::format(" and {} more", empty.size() - 1) : "");
  }
  if (!unknown.empty()) text += fmt::format("Limits not judged: {}.", Wording::list(unknown));
  return trimmed(text);
}

std::string steal(const Summary& summary) {
  if (summary.steal.runs == 0) return "";
  return fmt::format("The hypervisor took more than {} of the CPU time of {}, up to {}.",
                     percent(kStealLimit).text(), Wording::number_of(summary.steal.runs, "run"),
                     percent(summary.steal.worst_share).text());
}

std::string changes(const Report& report) {
  std::vector<std::string> keys;
  size_t more = 0;
  for (const EnvironmentChange& change : environment_changes(report)) {
    if (!change.matters) continue;
    keys.size() < kNamed ? keys.push_back(printable(change.key)) : void(++more);
  }
  if (keys.empty()) return "";
  if (more) keys.push_back(fmt::format("{} more", more));
  return fmt::format("The machine changed during the experiment: {}.", Wording::list(keys));
}

std::string failures(const Report& report, const Summary& summary, const Wording& wording) {
  if (summary.failed_runs == 0) return "";
  for (const Cell& cell : report.cells) {
    for (const Run& run : cell.runs) {
      if (run.status != "failed") continue;
      return fmt::format(
          "{} failed, the first in block {}, {}: {}.",
          Wording::number_of(summary.failed_runs, "run"), run.block, wording.cell(cell),
          run.failure.empty() ? "no reason given" : shortened(printable(run.failure)));
    }
  }
  return "";
}

std::string away(const ReportFindings& trace) {
  if (!trace.runs_without_files) return "";
  return fmt::format("The segments of {} are not beside the report.",
                     Wording::number_of(trace.runs_without_files, "run"));
}

std::string cost_of_tracing(const Summary& summary) {
  if (summary.times.emulated) return "";
  std::optional<Interval> costs;
  size_t cells = 0, slower = 0, undecided = 0;
  for (const CellSummary& cell : summary.cells) {
    if (!cell.tracer_cost) continue;
    const double cost = *cell.tracer_cost;
    costs = costs ? Interval{std::min(costs->low, cost), std::max(costs->high, cost)}
                  : Interval{cost, cost};
    ++cells;
    slower += cell.tracer_verdict == Verdict::slower;
    undecided += cell.tracer_verdict == Verdict::undecided;
  }
  if (!costs) return "";
  const std::string low = signed_percent(costs->low).text(),
                    high = signed_percent(costs->high).text();
  return fmt::format("Tracing added {}: slower in {} of {}, undecided in {}.",
                     low == high ? low : low + " to " + high, slower,
                     Wording::number_of(cells, "cell"), undecided);
}

// "3 policies; 2 workloads; ..."
std::string matrix_in_numbers(const Report& report) {
  std::set<std::string> policies, workloads, arrangements, threads, cpus;
  for (const Cell& cell : report.cells) {
    policies.insert(cell.policy);
    workloads.insert(cell.workload);
    arrangements.insert(cell.arrangement);
    threads.insert(std::to_string(cell.threads));
    cpus.insert(cell.cpus);
  }
  const auto number = [](size_t n, const char* one, const char* many) {
    return fmt::format("{} {}", n, n == 1 ? one : many);
  };
  return fmt::format("{}: {}, {}, {}, {}, {}", number(report.cells.size(), "cell", "cells"),
                     number(policies.size(), "policy", "policies"),
                     number(workloads.size(), "workload", "workloads"),
                     number(arrangements.size(), "arrangement", "arrangements"),
                     number(threads.size(), "number of threads", "numbers of threads"),
                     number(cpus.size(), "set of CPUs", "sets of CPUs"));
}

}  // namespace

std::vector<std::string> headline(const Report& report, const Summary& summary,
                                  const Wording& wording, const ReportFindings& trace) {
  if (of_recordings(report)) return whose_faults(report, trace, summary.times);
  const std::vector<Finding> all = findings(summary, wording);
  std::vector<std::string> sentences;
  const std::string claim = claim_sentence(report, summary, kNamed);
  if (!claim.empty()) sentences.push_back(claim);
  if (!all.empty()) {
    const size_t first = leading(all);
    sentences.push_back(all[first].sentence);
    const std::string rest = rest_of(all, first, summary);
    if (!rest.empty()) sentences.back() += " " + rest;
  }
  const std::string waited = worst_pair(report, trace, wording, summary.times);
  if (!waited.empty()) sentences.push_back(waited);
  return sentences;
}

std::vector<std::string> short_disturbances(const Report& report, const Summary& summary,
                                            const Wording& wording, const ReportFindings& trace) {
  std::vector<std::string> lines;
  for (const std::string& line :
       {losses(summary), failures(report, summary, wording), limits(summary, wording),
        steal(summary), changes(report), cost_of_tracing(summary), away(trace)}) {
    if (!line.empty()) lines.push_back(line);
  }
  return lines;
}

std::vector<std::string> what_and_where(const Report& report, const Summary& summary,
                                        const Wording& wording, size_t matrix_columns) {
  std::vector<std::string> lines{fmt::format("gilscope {}, {}, report {}",
                                             printable(report.gilscope),
                                             printable(report.created_at), printable(report.id))};
  if (const std::string where = machine_in_a_line(report.environment); !where.empty()) {
    lines.push_back(where);
  }
  if (of_recordings(report)) {
    size_t more = 0;
    for (const Cell& cell : report.cells) {
      if (!is_recording(cell) || (lines.size() >= 2 * kNamed && matrix_columns != SIZE_MAX)) {
        ++more;
        continue;
      }
      lines.push_back(subject_line(*cell.subject));
      lines.push_back(watched_line(cell, summary.times));
    }
    if (more) lines.push_back(fmt::format("and {} more, with --all", more));
    return lines;
  }
  const std::string matrix = wording.matrix();
  lines.push_back(matrix.size() > matrix_columns ? matrix_in_numbers(report) : matrix);
  std::string blocks = Wording::number_of(size_t(summary.measured_blocks), "block") + " measured";
  if (summary.measured_blocks < report.blocks_planned) {
    blocks =
        fmt::format("{} of {} blocks measured", summary.measured_blocks, report.blocks_planned);
  }
  lines.push_back(fmt::format("{}, {} to warm up, {} finished", blocks, summary.warmup_blocks,
                              Wording::number_of(summary.finished_runs, "run")));
  return lines;
}

std::vector<std::string> warnings(const Report& report, const Summary& summary) {
  std::vector<std::string> lines;
  if (summary.times.emulated) lines.emplace_back(kEmulatedCpus);
  for (std::string& doubt : doubts(report)) lines.push_back(std::move(doubt));
  if (!report.left_out.empty()) {
    std::vector<std::string> names;
    for (const std::string& name : report.left_out) names.push_back(printable(name));
    lines.push_back(fmt::format(
        "A page's copy of the report, which had no room for {}: their numbers are missing here.",
        Wording::list(names)));
  }
  if (report.status == "interrupted") {
    lines.emplace_back("INTERRUPTED: what was measured until then is here.");
  } else if (report.status != "done") {
    lines.emplace_back(
        "PARTIAL: still running, or cut short. What was measured until then is here.");
  }
  return lines;
}

}  // namespace gilscope
