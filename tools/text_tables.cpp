#include "tools/text_tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <sstream>

#include "tools/paragraph.h"
#include "tools/table.h"
#include "tools/text_gates.h"
#include "userspace/util/quote.h"

namespace gilscope {
namespace {

// Of cores or threads of one cell; `--per` shows all.
constexpr size_t kManyLines = 16;

std::string spread(const std::optional<Interval>& interval) {
  if (!interval) return "-";
  return fmt::format("{:.2f}..{:.2f}", interval->low, interval->high);
}

// In the order of the report.
std::vector<const CellSummary*> shown_cells(const Page& page) {
  std::vector<const CellSummary*> cells;
  for (const CellSummary& cell : page.summary.cells) {
    if (page.shows(cell)) cells.push_back(&cell);
  }
  return cells;
}

// How long a run took or, where it lasted as long as it was told to, how much it did.
Number headline(const Page& page, const CellSummary& cell, std::optional<double> wall_ns,
                std::optional<double> operations_per_s) {
  if (!cell.bounded_by_time()) return page.time(duration(wall_ns));
  Number rate = count(operations_per_s);
  rate.unit += "/s";
  return page.time(rate);
}

std::string heading(const Page& page, const CellSummary& cell) {
  const Number number = headline(page, cell, cell.wall_ns, cell.result("operations_per_s"));
  return fmt::format("{}: {}", page.wording.cell(*cell.cell), number.text());
}

void note_hidden(Table& table, size_t hidden, const char* what) {
  if (hidden == 0) return;
  table.note(
      fmt::format("  and {} more {}{}, with --per {}", hidden, what, hidden == 1 ? "" : "s", what));
}

// What no thread of ours came near says nothing, on a box of 200 cores.
bool touched(const CoreSummary& core) {
  return core.segments.value_or(0) > 0 || core.waker.value_or(0) > 0 ||
         core.placed.value_or(0) > 0 || core.acquires_per_s.value_or(0) > 0;
}

template <typename Numbers>
void add_cores(const Page& page, const CellSummary& cell, Table& table, Numbers numbers) {
  table.heading(heading(page, cell));
  size_t shown = 0, hidden = 0, untouched = 0;
  for (const CoreSummary& core : cell.cores) {
    if (!touched(core)) {
      ++untouched;
    } else if (!page.options.per && shown == kManyLines) {
      ++hidden;
    } else {
      table.row(fmt::format("  core {}", core.cpu), numbers(core));
      ++shown;
    }
  }
  note_hidden(table, hidden, "core");
  if (untouched) {
    table.note(fmt::format("  none of its threads ran on the other {}",
                           Wording::number_of(untouched, "core")));
  }
}

template <typename Numbers>
void add_threads(const Page& page, const CellSummary& cell, Table& table, Numbers numbers) {
  if (cell.threads.empty()) return;
  table.heading(heading(page, cell));
  size_t shown = 0;
  for (const ThreadSummary& thread : cell.threads) {
    if (!page.options.per && shown == kManyLines) break;
    table.row("  " + printable(thread.name), numbers(thread));
    ++shown;
  }
  note_hidden(table, cell.threads.size() - shown, "thread");
}

}  // namespace

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
  // What is read side by side is one policy's workloads.
  std::map<std::string, std::vector<const CellSummary*>> groups;
  std::vector<std::string> order;
  for (const CellSummary* cell : shown_cells(page)) {
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
    if (run->gated()) number.unit += "*";
    return number;
  };
  const auto counts = [](const Run* run) {
    return run && run->status == "done" && run->wall_ns > 0 && !run->gated();
  };
  bool rates = false;
  for (const PairSummary& pair : page.summary.pairs) {
    std::map<int, bool> blocks;
    for (const CellSummary* cell : {pair.sequential, pair.threaded}) {
      if (!cell) continue;
      for (const Run& run : cell->cell->runs) blocks[run.block] = run.warmup;
    }
    if (blocks.empty()) continue;
    rates = rates || (pair.threaded && pair.threaded->bounded_by_time());
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
      if (run.status != "done" || !run.gated()) continue;
      page.paragraph(
          fmt::format("* left out: block {}, {}, trace {}: {}", run.block,
                      page.wording.cell(*cell.cell), printable(run.trace), gates_of(run)),
          2);
    }
  }
}

void print_core_tables(const Page& page) {
  Table scheduling({{"", ""},
                    {"", "segments"},
                    {"share of the window", "on-CPU"},
                    {"share of the window", "idle", 2},
                    {"share of the window", "foreign"},
                    {"wakeups", "waker", 1},
                    {"wakeups", "previous", 3},
                    {"wakeups", "placed"},
                    {"wakeups", "ran"},
                    {"migrations", "wakeup"},
                    {"migrations", "preempt"}});
  Table gil({{"", ""},
             {"", "acquires/s"},
             {"failed acquisitions/s", "contended"},
             {"failed acquisitions/s", "woken_lost"},
             {"failed acquisitions/s", "timed_out"},
             {"wasted", "wakeups"},
             {"holder", "preempted"}});
  for (const CellSummary* cell : shown_cells(page)) {
    if (!cell->traced) continue;
    add_cores(page, *cell, scheduling, [&](const CoreSummary& core) -> std::vector<Number> {
      return {count(core.segments),
              page.time(percent(core.on_cpu_share)),
              page.time(percent(core.idle_share)),
              page.time(percent(core.foreign_share)),
              count(core.waker),
              count(core.previous),
              count(core.placed),
              count(core.ran),
              count(core.migrations_wakeup),
              count(core.migrations_preempt)};
    });
    add_cores(page, *cell, gil, [&](const CoreSummary& core) -> std::vector<Number> {
      return {page.time(count(core.acquires_per_s)),
              page.time(count(core.contended_per_s)),
              page.time(count(core.woken_lost_per_s)),
              page.time(count(core.timed_out_per_s)),
              percent(core.wasted_share),
              count(core.holder_preempted)};
    });
  }
  if (scheduling.empty()) return;
  page.title("CORES", "what the scheduler did; counts a run, medians over the traced runs");
  scheduling.print(page.out, page.options.width);
  page.title("CORES AND THE GIL",
             "attempts made on each core; wasted: of the wakeups that ran there");
  gil.print(page.out, page.options.width);
}

void print_thread_table(const Page& page) {
  Table table({{"", ""},
               {"", "on-CPU"},
               {"switches", "voluntary", 2},
               {"switches", "involuntary"},
               {"wakeups", "all"},
               {"wakeups", "wasted"},
               {"", "migrated", 1},
               {"GIL", "acquires"},
               {"GIL", "failed"},
               {"wake-to-run", "p50", 3},
               {"wake-to-run", "p99"}});
  for (const CellSummary* cell : shown_cells(page)) {
    add_threads(page, *cell, table, [&](const ThreadSummary& thread) -> std::vector<Number> {
      return {page.time(duration(thread.on_cpu_ns)),
              count(thread.voluntary_switches),
              count(thread.involuntary_switches),
              count(thread.wakeups),
              percent(thread.wasted_share),
              count(thread.migrations),
              count(thread.acquires),
              count(thread.failed),
              page.time(duration(thread.wake_to_run_p50_ns)),
              page.time(duration(thread.wake_to_run_p99_ns))};
    });
  }
  if (table.empty()) return;
  page.title("THREADS", "counts a run, medians over the runs");
  table.print(page.out, page.options.width);
}

namespace {

std::vector<Table::Column> wait_columns() {
  return {{"", ""},
          {"wake-to-run", "p50"},
          {"wake-to-run", "p90", 2},
          {"wake-to-run", "p99"},
          {"wake-to-run", "max", 1},
          {"preempt wait", "p50", 4},
          {"preempt wait", "p99"},
          {"preempt wait", "max", 3},
          {"segment", "p50"},
          {"segment", "p99", 2},
          {"segment", "max", 5}};
}

std::vector<Number> wait_numbers(const Page& page, const Histograms& of) {
  const auto quantile = [&](const Histogram& histogram, double q) {
    const auto ns = histogram.quantile_ns(q);
    return page.time(duration(ns ? std::optional(double(*ns)) : std::nullopt));
  };
  return {quantile(of.wake_to_run, 0.5),  quantile(of.wake_to_run, 0.9),
          quantile(of.wake_to_run, 0.99), quantile(of.wake_to_run, 1),
          quantile(of.preempt_wait, 0.5), quantile(of.preempt_wait, 0.99),
          quantile(of.preempt_wait, 1),   quantile(of.run, 0.5),
          quantile(of.run, 0.99),         quantile(of.run, 1)};
}

void print_waits(const Page& page, const Table& table, const char* title) {
  if (table.empty()) return;
  page.title(title, "percentiles over all traced runs of a cell");
  table.print(page.out, page.options.width);
}

}  // namespace

void print_core_waits(const Page& page) {
  Table table(wait_columns());
  for (const CellSummary* cell : shown_cells(page)) {
    if (!cell->traced) continue;
    table.heading(page.wording.cell(*cell->cell));
    for (const CoreSummary& core : cell->cores) {
      if (touched(core)) {
        table.row(fmt::format("  core {}", core.cpu), wait_numbers(page, core.histograms));
      }
    }
  }
  print_waits(page, table, "WAITS ON EACH CORE");
}

void print_thread_waits(const Page& page) {
  Table table(wait_columns());
  for (const CellSummary* cell : shown_cells(page)) {
    if (!cell->traced) continue;
    table.heading(page.wording.cell(*cell->cell));
    for (const ThreadSummary& thread : cell->threads) {
      table.row("  " + printable(thread.name), wait_numbers(page, thread.histograms));
    }
  }
  print_waits(page, table, "WAITS OF EACH THREAD");
}

void print_perf_table(const Page& page) {
  Table table({{"", ""},
               {"context", "switches"},
               {"", "migrations"},
               {"instructions", "per cycle"},
               {"cache", "misses"}});
  for (const CellSummary* cell : shown_cells(page)) {
    if (std::ranges::none_of(cell->threads, &ThreadSummary::perf)) continue;
    add_threads(page, *cell, table, [&](const ThreadSummary& thread) -> std::vector<Number> {
      return {count(thread.perf_switches), count(thread.perf_migrations),
              page.time(factor(thread.instructions_per_cycle)), count(thread.cache_misses)};
    });
  }
  if (table.empty()) return;
  page.title("THREADS BY PERF", "what perf events counted; counts a run, medians over the runs");
  table.print(page.out, page.options.width);
  page.paragraph("Every run counted them, and each of its switches took longer for it.");
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
