#include "tools/text/report_tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <sstream>

#include "tools/analysis/subject_words.h"
#include "tools/text/cells.h"
#include "tools/text/disturbances.h"
#include "tools/text/paragraph.h"
#include "userspace/base/quote.h"

namespace gilscope {
namespace {

std::string spread(const std::optional<Interval>& interval) {
  if (!interval) return "-";
  return fmt::format("{:.2f}..{:.2f}", interval->low, interval->high);
}

}  // namespace

std::vector<const CellSummary*> shown_cells(const Page& page) {
  std::vector<const CellSummary*> cells;
  for (const CellSummary& cell : page.summary.cells) {
    if (page.shows(cell)) cells.push_back(&cell);
  }
  return cells;
}

Number headline(const Page& page, const CellSummary& cell, std::optional<double> wall_ns,
                std::optional<double> operations_per_s) {
  if (!cell.bounded_by_time() || is_recording(*cell.cell)) return page.time(duration(wall_ns));
  Number rate = count(operations_per_s);
  rate.unit += "/s";
  return page.time(rate);
}

std::string heading(const Page& page, const CellSummary& cell) {
  const Number number = headline(page, cell, cell.wall_ns, cell.result("operations_per_s"));
  return fmt::format("{}: {}", page.wording.cell(*cell.cell), number.text());
}

bool Page::shows(const CellSummary& cell) const {
  if (cell.runs == 0) return false;
  if (options.per || cell.cell->arrangement == "threaded") return true;
  return std::ranges::none_of(summary.cells, [](const CellSummary& other) {
    return other.runs > 0 && other.cell->arrangement == "threaded";
  });
}

const CellSummary* Page::summary_of(const Cell& cell) const {
  for (const CellSummary& other : summary.cells) {
    if (other.cell == &cell) return &other;
  }
  return nullptr;
}

void Page::title(const std::string& name, const std::string& explanation) const {
  std::ostringstream text;
  const Page plain{text, options, summary, wording, trace};
  plain.paragraph(name + (explanation.empty() ? "" : "  " + explanation), 2);
  std::string lines = text.str();
  lines.replace(0, name.size(), bold(name));
  out << "\n" << lines;
}

void Page::paragraph(const std::string& text, size_t indent) const {
  out << wrapped(text, options.width, indent);
}

void print_slowdown_table(const Page& page) {
  Table table({{"", "policy"},
               {"", "CPUs"},
               {"median wall time", "sequential"},
               {"median wall time", "threaded"},
               {"slowdown", "ratio"},
               {"slowdown", "95 % interval"},
               {"slowdown", "min..max", 2},
               {"slowdown", "blocks", 3},
               {"cost of", "tracer", 1}});
  bool few = false, traced = false;
  for (const PairSummary& pair : page.summary.pairs) {
    const Cell& cell = pair.cell();
    if (!pair.sequential_ns && !pair.threaded_ns) continue;
    if (!pair.sequential && pair.threaded->bounded_by_time()) continue;
    if (cell.subject) continue;  // it never ran in any other arrangement
    const std::string cpus = cell.cpus.starts_with("cpu:") ? printable(cell.cpus.substr(4))
                                                           : std::to_string(cell.cpu_list.size());
    few = few || (pair.slowdown && !pair.interval);
    traced = traced || (pair.slowdown && pair.traced);
    table.row(page.wording.subject(cell),
              {{cpus, ""},
               page.time(duration(pair.sequential_ns)),
               page.time(duration(pair.threaded_ns)),
               page.time(factor(pair.slowdown)),
               page.time({spread(pair.interval), ""}),
               page.time({spread(pair.range), ""}),
               {pair.blocks.empty() ? "-" : std::to_string(pair.blocks.size()), ""},
               page.time(signed_percent(
                   (pair.threaded ? pair.threaded : pair.sequential)->tracer_cost))});
  }
  if (table.empty()) return;
  page.title("SLOWDOWN", "threaded over sequential wall time, within each block; untraced runs");
  table.print(page.out, page.options.width);
  if (few) page.paragraph("No 95 % interval from fewer than 6 blocks.");
  if (traced) {
    page.paragraph("Where there were no untraced runs, times include what tracing costs.");
  }
}

void print_work_table(const Page& page) {
  Table table({{"", ""},
               {"", "operations/s"},
               {"", "fairness", 2},
               {"latency", "p50"},
               {"latency", "p90", 3},
               {"latency", "p99"},
               {"latency", "p99.9", 3},
               {"latency", "max", 1},
               {"background", "operations/s", 2}});
  // One group for each policy: its workloads are read side by side.
  std::map<std::string, std::vector<const CellSummary*>> groups;
  std::vector<std::string> order;
  for (const CellSummary* cell : shown_cells(page)) {
    if (is_recording(*cell->cell)) continue;
    if (!cell->bounded_by_time() && !cell->result("background_operations")) continue;
    const Cell& c = *cell->cell;
    const std::string group =
        fmt::format("{}, {} on {}", printable(c.policy),
                    Wording::number_of(size_t(c.threads), "thread"), Wording::cpus(c));
    if (!groups.contains(group)) order.push_back(group);
    groups[group].push_back(cell);
  }
  for (const std::string& group : order) {
    table.heading(group);
    for (const CellSummary* cell : groups[group]) {
      const auto result = [&](const char* key) { return cell->result(key); };
      const auto fair = result("fairness");
      table.row("  " + printable(cell->cell->workload),
                {page.time(count(result("operations_per_s"))),
                 fair ? Number{fmt::format("{:.2f}", *fair), ""} : Number{"-", ""},
                 page.time(duration(result("latency_p50_ns"))),
                 page.time(duration(result("latency_p90_ns"))),
                 page.time(duration(result("latency_p99_ns"))),
                 page.time(duration(result("latency_p999_ns"))),
                 page.time(duration(result("latency_max_ns"))),
                 page.time(count(result("background_operations_per_s")))});
    }
  }
  if (table.empty()) return;
  page.title("WORK", "medians over the untraced runs, each percentile of all samples of its run");
  table.print(page.out, page.options.width);
}

void print_block_table(const Page& page) {
  Table table({{"", "block"},
               {"untraced", "sequential"},
               {"untraced", "threaded"},
               {"untraced", "slowdown"},
               {"traced", "sequential"},
               {"traced", "threaded"},
               {"traced", "slowdown"}});
  const auto run_of = [](const CellSummary* cell, int block, bool traced) -> const Run* {
    if (!cell) return nullptr;
    for (const Run& run : cell->cell->runs) {
      if (run.block == block && run.traced() == traced) return &run;
    }
    return nullptr;
  };
  const auto of = [&](const CellSummary* cell, const Run* run) -> Number {
    if (!run) return {"-", ""};
    if (run->status != "done") return {printable(run->status), ""};
    const auto rate = run->workload.find("operations_per_s");
    Number number =
        headline(page, *cell, double(run->wall_ns),
                 rate == run->workload.end() ? std::nullopt : std::optional(rate->second));
    if (run->disturbed()) number.unit += "*";
    return number;
  };
  const auto counts = [](const Run* run) {
    return run && run->status == "done" && run->wall_ns > 0 && !run->disturbed();
  };
  bool rates = false;
  for (const PairSummary& pair : page.summary.pairs) {
    std::map<int, bool> blocks;
    for (const CellSummary* cell : {pair.sequential, pair.threaded}) {
      if (!cell) continue;
      for (const Run& run : cell->cell->runs) blocks[run.block] = run.warmup;
    }
    if (blocks.empty()) continue;
    rates =
        rates || (pair.threaded && pair.threaded->bounded_by_time() && !is_recording(pair.cell()));
    table.heading(
        fmt::format("{} on {}", page.wording.subject(pair.cell()), Wording::cpus(pair.cell())));
    for (const auto& [block, warmup] : blocks) {
      std::vector<Number> numbers;
      for (const bool traced : {false, true}) {
        const Run* sequential = run_of(pair.sequential, block, traced);
        const Run* threaded = run_of(pair.threaded, block, traced);
        const bool both = counts(sequential) && counts(threaded);
        numbers.push_back(of(pair.sequential, sequential));
        numbers.push_back(of(pair.threaded, threaded));
        numbers.push_back(page.time(
            factor(both ? std::optional(double(threaded->wall_ns) / double(sequential->wall_ns))
                        : std::nullopt)));
      }
      table.row(fmt::format("  {}{}", block, warmup ? " warm-up" : ""), std::move(numbers));
    }
  }
  if (table.empty()) return;
  page.title("BLOCKS", "wall time of each run");
  table.print(page.out, page.options.width);
  if (rates) page.paragraph("Of runs that last for a set time, operations a second.");
  for (const CellSummary& cell : page.summary.cells) {
    for (const Run& run : cell.cell->runs) {
      if (run.status != "done" || !run.disturbed()) continue;
      page.paragraph(
          fmt::format("* left out: block {}, {}, trace {}: {}", run.block,
                      page.wording.cell(*cell.cell), printable(run.trace), disturbances_of(run)),
          2);
    }
  }
}

void print_tracer_table(const Page& page) {
  Table table({{"", ""},
               {"added wall time", "change"},
               {"added wall time", "95 % interval"},
               {"added wall time", "verdict", 1},
               {"BPF programs", "mean"},
               {"BPF programs", "of the CPUs"}});
  bool rates = false;
  for (const CellSummary* cell : shown_cells(page)) {
    if (!cell->tracer_cost && !cell->program_ns) continue;
    rates = rates || cell->bounded_by_time();
    const auto& interval = cell->tracer_cost_interval;
    const Number spread{
        interval ? fmt::format("{:+.1f}..{:+.1f} %", interval->low * 100, interval->high * 100)
                 : "-",
        ""};
    table.row(page.wording.cell(*cell->cell),
              {page.time(signed_percent(cell->tracer_cost)), page.time(spread),
               page.time({cell->tracer_cost ? name_of(cell->tracer_verdict) : "-", ""}),
               page.time(duration(cell->program_ns)), page.time(percent(cell->program_share))});
  }
  if (table.empty()) return;
  page.title("THE TRACER",
             "traced over untraced runs of the same block; its programs, timed in warm-up runs");
  table.print(page.out, page.options.width);
  if (rates) page.paragraph("Of runs that last for a set time, the time added to an operation.");
}

}  // namespace gilscope
