#include "tools/html/overview.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <sstream>

#include "tools/analysis/cpu_lines.h"
#include "tools/analysis/subject_words.h"
#include "tools/html/forest_plot.h"
#include "tools/html/html_table.h"
#include "tools/html/markup.h"
#include "tools/text/headline.h"
#include "tools/text/report.h"
#include "tools/text/report_tables.h"
#include "userspace/base/quote.h"

namespace gilscope {
namespace {

// Of more findings than this the plot gives the better view.
constexpr size_t kFindingsShown = 6;
constexpr size_t kCpusShown = 16;  // of all cells, on the first screen

bool any_slowdown(const Summary& summary) {
  return std::ranges::any_of(summary.pairs,
                             [](const PairSummary& pair) { return pair.slowdown.has_value(); });
}

std::string index_of(const PageContent& page, const CellSummary* cell) {
  if (!cell) return "";
  return std::to_string(cell->cell - page.report.cells.data());
}

std::string slowdown_plot(const PageContent& page) {
  std::vector<ForestRow> rows;
  for (const PairSummary& pair : page.summary.pairs) {
    if (!pair.slowdown) continue;
    ForestRow row;
    row.group = page.wording.subject(pair.cell());
    row.label = Wording::cpus(pair.cell());
    for (const BlockPair& block : pair.blocks) row.values.push_back(block.slowdown());
    row.middle = pair.slowdown;
    row.interval = pair.interval;
    row.attributes = fmt::format("data-sequential=\"{}\" data-threaded=\"{}\"",
                                 index_of(page, pair.sequential), index_of(page, pair.threaded));
    rows.push_back(std::move(row));
  }
  return forest_plot(
      {"Slowdown, the time together over the time in sequence", "slowdown", "block", 1.0}, rows);
}

std::string rate_plot(const PageContent& page) {
  std::vector<ForestRow> rows;
  for (const RatePair& pair : page.summary.rates) {
    ForestRow row;
    row.group = page.wording.subject(*pair.beside->cell);
    row.label = fmt::format("{}, {}", Wording::cpus(*pair.beside->cell),
                            Wording::number_of(pair.background, "computing thread"));
    row.values = pair.ratios;
    row.middle = pair.ratio;
    row.interval = pair.interval;
    row.attributes = fmt::format("data-alone=\"{}\" data-beside=\"{}\"", index_of(page, pair.alone),
                                 index_of(page, pair.beside));
    rows.push_back(std::move(row));
  }
  return forest_plot(
      {"Operations a second beside computing threads, over those without", "ratio", "block", 1.0},
      rows);
}

// Where no cell has another to be compared with: each one's wall time or, where runs last for a set
// time, its rate.
std::string plot_of_cells(const PageContent& page, bool bounded_by_time) {
  std::vector<ForestRow> rows;
  for (const CellSummary& cell : page.summary.cells) {
    if (cell.runs == 0 || cell.bounded_by_time() != bounded_by_time) continue;
    if (is_recording(*cell.cell)) continue;  // one run of its own length
    ForestRow row;
    row.group = page.wording.subject(*cell.cell);
    row.label =
        fmt::format("{} on {}", printable(cell.cell->arrangement), Wording::cpus(*cell.cell));
    bool untraced = false;
    for (const Run& run : cell.cell->runs) untraced = untraced || !run.traced();
    for (const Run& run : cell.cell->runs) {
      if (!measured(run) || run.traced() == untraced) continue;
      const auto rate = run.workload.find("operations_per_s");
      if (!bounded_by_time) {
        row.values.push_back(double(run.wall_ns));
      } else if (rate != run.workload.end()) {
        row.values.push_back(rate->second);
      }
    }
    const Typical of_runs = typical(row.values);
    row.middle = of_runs.value;
    row.interval = of_runs.interval;
    row.attributes = fmt::format("data-cell=\"{}\"", index_of(page, &cell));
    rows.push_back(std::move(row));
  }
  if (rows.empty()) return "";
  ForestAxis axis{"Wall time", "wall_ns", "run", std::nullopt, true};
  if (bounded_by_time) {
    axis = {"Operations a second", "operations_per_s", "run", std::nullopt};
    axis.written = count;
  }
  return forest_plot(axis, rows);
}

std::string where(const PageContent& page) {
  std::string out;
  for (const std::string& line :
       what_and_where(page.report, page.summary, page.wording, SIZE_MAX)) {
    out += "<p>" + escaped(line) + "</p>\n";
  }
  return out;
}

std::string warned(const PageContent& page) {
  std::string out;
  const auto warn = [&](const std::string& text) {
    out += "<p class=\"warning\">" + escaped(text) + "</p>\n";
  };
  for (const std::string& line : warnings(page.report, page.summary)) warn(line);
  if (page.summary.disturbances.runs > 0) {
    warn(fmt::format("Left out of every number here by limits: {} of {}.",
                     page.summary.disturbances.runs,
                     Wording::number_of(page.summary.measured_runs, "measured run")));
  }
  if (const uint64_t dropped = page.summary.lost.sum.segments) {
    warn(
        fmt::format("{} found no room: what comes from segments has holes, the counters have none.",
                    Wording::number_of(dropped, "segment record")));
  }
  return out;
}

std::string lead(const PageContent& page) {
  std::string out;
  for (const std::string& sentence :
       headline(page.report, page.summary, page.wording, page.trace.findings)) {
    out += "<p class=\"lead\">" + escaped(sentence) + "</p>\n";
  }
  return out;
}

// The text report's one line a CPU.
std::string cpu_table(const PageContent& page) {
  const Times& times = page.summary.times;
  const CpuSelection chosen = selected(cpu_lines(page.summary), kCpusShown);
  HtmlTable table("Each CPU: counts a run, medians over the traced runs; wasted: of its wakeups",
                  {{"", "", ""},
                   {"", "on-CPU", "on_cpu_ns"},
                   {"", "wakeups", "wakeups.ran"},
                   {"", "migrations", "migrations"},
                   {"failed", "acquisitions", "failed"},
                   {"wasted", "wakeups", "wasted_wakeups"}});
  for (const CellLines& of : chosen.cells) {
    table.note(page.wording.cell(*of.cell->cell));
    for (const CpuLine& line : of.lines) {
      table.row(fmt::format("CPU {}", line.cpu),
                {{times.of(percent(line.on_cpu_share)), line.on_cpu_share},
                 {count(line.wakeups), line.wakeups},
                 {count(line.migrations), line.migrations},
                 {count(line.failed), line.failed},
                 {percent(line.wasted_share), line.wasted_share}},
                fmt::format("data-first-screen-cpu=\"{}\" data-of=\"{}\"", line.cpu,
                            index_of(page, of.cell)));
    }
  }
  if (table.empty()) return "";
  if (chosen.cpus_left_out || chosen.cells_left_out) {
    table.note(fmt::format("Below: {} of these cells, and {}.",
                           Wording::number_of(chosen.cpus_left_out, "more CPU"),
                           Wording::number_of(chosen.cells_left_out, "other cell")));
  }
  return table.html();
}

std::string limits(const PageContent& page) {
  std::string lines;
  for (const std::string& line :
       short_disturbances(page.report, page.summary, page.wording, page.trace.findings)) {
    lines += "<p>" + escaped(line) + "</p>\n";
  }
  return "<div class=\"limits\">\n" + lines + "</div>\n";
}

std::string list(const std::vector<Finding>& all, size_t from, size_t to) {
  std::string items = "<ul class=\"findings\">\n";
  for (size_t i = from; i < to; ++i) {
    items += fmt::format("<li class=\"{}\">{}\n", name_of(all[i].kind), escaped(all[i].sentence));
  }
  return items + "</ul>\n";
}

std::string every_finding(const std::vector<Finding>& all) {
  const size_t shown = std::min(all.size(), kFindingsShown);
  std::string out = shown ? list(all, 0, shown) : "";
  if (shown < all.size()) {
    out += fmt::format("<details><summary>{} more</summary>{}</details>\n", all.size() - shown,
                       list(all, shown, all.size()));
  }
  return out;
}

std::string wall_table(const PageContent& page) {
  const Times& times = page.summary.times;
  HtmlTable table("Wall times, medians over the blocks, untraced runs where there are any",
                  {{"", "", ""},
                   {"median wall time", "sequential", "sequential_wall_ns"},
                   {"median wall time", "threaded", "threaded_wall_ns"},
                   {"slowdown", "min", "slowdown_min"},
                   {"slowdown", "max", "slowdown_max"},
                   {"", "cost of the tracer", "tracer_cost"}});
  for (const PairSummary& pair : page.summary.pairs) {
    if (!pair.sequential_ns && !pair.threaded_ns) continue;
    if (!pair.sequential && pair.threaded->bounded_by_time()) continue;
    if (is_recording(pair.cell())) continue;
    const auto cost = (pair.threaded ? pair.threaded : pair.sequential)->tracer_cost;
    const auto low = pair.range ? std::optional(pair.range->low) : std::nullopt;
    const auto high = pair.range ? std::optional(pair.range->high) : std::nullopt;
    table.row(escaped(fmt::format("{} on {}", page.wording.subject(pair.cell()),
                                  Wording::cpus(pair.cell()))),
              {{times.of(duration(pair.sequential_ns)), pair.sequential_ns},
               {times.of(duration(pair.threaded_ns)), pair.threaded_ns},
               {times.of(factor(low)), low},
               {times.of(factor(high)), high},
               {times.of(signed_percent(cost)), cost}},
              fmt::format("data-sequential=\"{}\" data-threaded=\"{}\"",
                          index_of(page, pair.sequential), index_of(page, pair.threaded)));
  }
  return table.empty() ? "" : table.html();
}

std::string tracer_table(const PageContent& page) {
  const Times& times = page.summary.times;
  HtmlTable table(
      "The tracer: traced over untraced runs of the same block (time an operation, where runs last "
      "for a set time); its programs, timed in warm-up runs",
      {{"", "", ""},
       {"added wall time", "estimate", "tracer_cost"},
       {"added wall time", "from", "tracer_cost"},
       {"added wall time", "to (95 % interval)", "tracer_cost"},
       {"added wall time", "verdict", ""},
       {"BPF programs", "mean", "tracer_cost"},
       {"BPF programs", "of the CPUs", "tracer_cost"}});
  for (const CellSummary& cell : page.summary.cells) {
    if (!cell.tracer_cost && !cell.program_ns) continue;
    const auto& interval = cell.tracer_cost_interval;
    const auto low = interval ? std::optional(interval->low) : std::nullopt;
    const auto high = interval ? std::optional(interval->high) : std::nullopt;
    table.row(escaped(page.wording.cell(*cell.cell)),
              {{times.of(signed_percent(cell.tracer_cost)), cell.tracer_cost},
               {times.of(signed_percent(low)), low},
               {times.of(signed_percent(high)), high},
               {times.of({cell.tracer_cost ? name_of(cell.tracer_verdict) : "-", ""}), {}},
               {times.of(duration(cell.program_ns)), cell.program_ns},
               {times.of(percent(cell.program_share)), cell.program_share}},
              fmt::format("data-cell=\"{}\"", index_of(page, &cell)));
  }
  return table.empty() ? "" : table.html();
}

std::string work_table(const PageContent& page) {
  static const std::vector<HtmlTable::Column> kColumns{
      {"", "", ""},
      {"", "operations/s", "operations_per_s"},
      {"", "fairness", "fairness"},
      {"latency", "p50", "latency_p50_ns"},
      {"latency", "p90", "latency_p90_ns"},
      {"latency", "p99", "latency_p99_ns"},
      {"latency", "p99.9", "latency_p999_ns"},
      {"latency", "max", "latency_max_ns"},
      {"background", "operations/s", "background_operations_per_s"}};
  HtmlTable table("Work, medians over the untraced runs, each percentile of all samples of its run",
                  kColumns);
  for (const CellSummary& cell : page.summary.cells) {
    if (is_recording(*cell.cell)) continue;
    if (!cell.bounded_by_time() && !cell.result("background_operations")) continue;
    std::vector<HtmlTable::Datum> data;
    for (size_t i = 1; i < kColumns.size(); ++i) {
      const std::string& key = kColumns[i].key;
      const auto value = cell.result(key);
      Number shown = count(value);
      if (key.ends_with("_ns")) shown = duration(value);
      shown = page.summary.times.of(shown);
      if (key == "fairness" && value) shown = {fmt::format("{:.2f}", *value), ""};
      data.push_back({shown, value});
    }
    table.row(escaped(page.wording.cell(*cell.cell)), data,
              fmt::format("data-cell=\"{}\"", index_of(page, &cell)));
  }
  return table.empty() ? "" : table.html();
}

}  // namespace

std::string experiment_name(const Report& report) {
  // The one key that is wanted of the spec, at the top of it: a table begins with a bracket.
  std::istringstream lines(report.spec);
  for (std::string line; std::getline(lines, line) && !line.starts_with("[");) {
    if (!line.starts_with("name")) continue;
    const size_t from = line.find('"'), to = line.rfind('"');
    const size_t equals = line.find_first_not_of(' ', 4);
    if (equals == std::string::npos || line[equals] != '=' || from == std::string::npos ||
        to <= from + 1) {
      continue;
    }
    return line.substr(from + 1, to - from - 1);
  }
  return "experiment";
}

std::string overview(const PageContent& page) {
  const std::vector<Finding> all = findings(page.summary, page.wording);
  std::string out = "<header>\n<h1>" + escaped(experiment_name(page.report)) + "</h1>\n";
  out += "<div class=\"where\">\n" + where(page) + "</div>\n" + lead(page);
  if (!page.summary.times.emulated) {
    if (any_slowdown(page.summary)) {
      out += slowdown_plot(page);
    } else if (page.summary.rates.empty()) {
      out += plot_of_cells(page, false) + plot_of_cells(page, true);
    }
    if (!page.summary.rates.empty()) out += rate_plot(page);
  }
  return out + cpu_table(page) + warned(page) + limits(page) + every_finding(all) + "</header>\n";
}

std::string time_tables(const PageContent& page) {
  return wall_table(page) + work_table(page) + tracer_table(page);
}

}  // namespace gilscope
