#include "tools/html/overview.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <sstream>

#include "tools/findings.h"
#include "tools/html/forest_plot.h"
#include "tools/html/html_table.h"
#include "tools/html/markup.h"
#include "tools/text_report.h"
#include "tools/text_tables.h"
#include "userspace/util/quote.h"

namespace gilscope {
namespace {

// Beyond these the plot says it better.
constexpr size_t kFindingsShown = 6;

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
    row.median = pair.slowdown;
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
    row.median = pair.ratio;
    row.interval = pair.interval;
    row.attributes = fmt::format("data-alone=\"{}\" data-beside=\"{}\"", index_of(page, pair.alone),
                                 index_of(page, pair.beside));
    rows.push_back(std::move(row));
  }
  return forest_plot(
      {"Operations a second beside computing threads, over those without", "ratio", "block", 1.0},
      rows);
}

// Nothing to compare with: how long each cell took or, where it lasted as long as it was told to,
// how much it did.
std::string plot_of_cells(const PageContent& page, bool bounded_by_time) {
  std::vector<ForestRow> rows;
  for (const CellSummary& cell : page.summary.cells) {
    if (cell.runs == 0 || cell.bounded_by_time() != bounded_by_time) continue;
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
    row.median = bounded_by_time ? cell.result("operations_per_s") : cell.wall_ns;
    row.interval = median_interval(row.values);
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
  const Report& report = page.report;
  const std::string box = box_in_a_line(report.environment);
  const Summary& summary = page.summary;
  std::string blocks = Wording::number_of(size_t(summary.measured_blocks), "block") + " measured";
  if (summary.measured_blocks < report.blocks_planned) {
    blocks =
        fmt::format("{} of {} blocks measured", summary.measured_blocks, report.blocks_planned);
  }
  std::string out = fmt::format("<p>{}</p>\n", escaped(page.wording.matrix()));
  if (!box.empty()) out += fmt::format("<p>{}</p>\n", escaped(box));
  out += fmt::format(
      "<p>{}; <span data-key=\"runs_finished\" data-value=\"{}\">{} finished</span>; {}; gilscope "
      "{}</p>\n",
      blocks, summary.finished_runs, Wording::number_of(summary.finished_runs, "run"),
      escaped(report.created_at), escaped(report.gilscope));
  return out;
}

std::string warnings(const PageContent& page) {
  std::string out;
  const auto warn = [&](const std::string& text) {
    out += "<p class=\"warning\">" + escaped(text) + "</p>\n";
  };
  if (page.summary.times.emulated) warn(kEmulatedCpus);
  if (page.report.status == "interrupted") {
    warn("Interrupted: what was measured until then is here.");
  } else if (page.report.status != "done") {
    warn("Partial: still running, or cut short. What was measured until then is here.");
  }
  if (!page.report.left_out.empty()) {
    warn(fmt::format(
        "Made from a page's copy of the report, which had no room for {}: their numbers "
        "are missing here.",
        Wording::list(page.report.left_out)));
  }
  if (page.summary.gates.runs > 0) {
    warn(fmt::format("Left out of every number here by gates: {} of {}.", page.summary.gates.runs,
                     Wording::number_of(page.summary.measured_runs, "measured run")));
  }
  uint64_t dropped = page.summary.lost.sum.segments;
  if (dropped) {
    warn(
        fmt::format("{} found no room: what comes from segments has holes, the counters have "
                    "none.",
                    Wording::number_of(dropped, "segment record")));
  }
  return out;
}

// What happened, in one sentence: what the experiment set out to find, or else the decided
// difference that is furthest from even, one that cost something before one that gained.
size_t leading(const PageContent& page, const std::vector<Finding>& all) {
  std::vector<double> ratios;  // of each finding, in the order of findings()
  for (const PairSummary& pair : page.summary.pairs) {
    if (pair.slowdown) ratios.push_back(*pair.slowdown);
  }
  for (const RatePair& pair : page.summary.rates) ratios.push_back(pair.ratio.value_or(1));
  size_t leading = 0;
  std::pair<bool, double> furthest = {false, 0};
  for (size_t i = 0; i < std::min(all.size(), ratios.size()); ++i) {
    if (all[i].kind == Finding::Kind::undecided || !(ratios[i] > 0)) continue;
    const std::pair<bool, double> distance = {all[i].kind == Finding::Kind::slower,
                                              std::fabs(std::log(ratios[i]))};
    if (distance > furthest) furthest = distance, leading = i;
  }
  return leading;
}

std::string lead(const PageContent& page, const std::vector<Finding>& all) {
  const std::string claim = claim_sentence(page.report, page.summary);
  if (!claim.empty()) return "<p class=\"lead\">" + escaped(claim) + "</p>\n";
  if (all.empty()) return "";
  return "<p class=\"lead\">" + escaped(all[leading(page, all)].sentence) + "</p>\n";
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
       {"added wall time", "median", "tracer_cost"},
       {"added wall time", "from", "tracer_cost"},
       {"added wall time", "to (95 % interval)", "tracer_cost"},
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
  out += "<div class=\"where\">\n" + where(page) + "</div>\n" + lead(page, all);
  if (page.summary.times.emulated) return out + warnings(page) + every_finding(all) + "</header>\n";
  if (any_slowdown(page.summary)) {
    out += slowdown_plot(page);
  } else if (page.summary.rates.empty()) {
    out += plot_of_cells(page, false) + plot_of_cells(page, true);
  }
  if (!page.summary.rates.empty()) out += rate_plot(page);
  return out + warnings(page) + every_finding(all) + "</header>\n";
}

std::string time_tables(const PageContent& page) {
  return wall_table(page) + work_table(page) + tracer_table(page);
}

}  // namespace gilscope
