// The tables of CPUs and threads. Their columns are rows of bpf/numbers.def.
#include <fmt/format.h>

#include <algorithm>

#include "tools/analysis/lock_name.h"
#include "tools/text/cells.h"
#include "userspace/base/quote.h"

namespace gilscope {
namespace {

// The CPUs or threads of one cell that are shown without `--per`.
constexpr size_t kManyLines = 16;

// A table whose columns are medians of a CPU or of a thread.
template <typename Of>
struct CountedTable {
  explicit CountedTable(std::vector<SummaryColumn<Of>> all)
      : columns(std::move(all)), table(headings()) {}

  void row(const Page& page, const std::string& label, const Of& of) {
    std::vector<Number> numbers;
    for (const auto& column : columns) numbers.push_back(column.number(of, page.summary.times));
    table.row(label, std::move(numbers));
  }

  std::vector<SummaryColumn<Of>> columns;
  Table table;

 private:
  std::vector<Table::Column> headings() {
    std::erase_if(columns, [](const auto& of) { return of.column.drop == numbers::on_the_page; });
    std::vector<Table::Column> all{{"", ""}};
    for (const auto& of : columns) all.push_back({of.column.group, of.column.name, of.column.drop});
    return all;
  }
};

// A report is of models or of real programs.
numbers::Whose whose_of(const Page& page) {
  const auto& cells = page.summary.cells;
  return cells.empty() ? numbers::Whose::models : whose(*cells.front().cell);
}

// `per` is the value of --per that shows them.
void note_hidden(Table& table, size_t hidden, const char* what, const char* per) {
  if (hidden == 0) return;
  table.note(
      fmt::format("  and {} more {}{}, with --per {}", hidden, what, hidden == 1 ? "" : "s", per));
}

void add_cpus(const Page& page, const CellSummary& cell, CountedTable<CpuSummary>& to) {
  to.table.heading(heading(page, cell));
  size_t shown = 0, hidden = 0, untouched = 0;
  for (const CpuSummary& cpu : cell.cpus) {
    if (!cpu.touched()) {
      ++untouched;
    } else if (!page.options.per && shown == kManyLines) {
      ++hidden;
    } else {
      to.row(page, fmt::format("  CPU {}", cpu.cpu), cpu);
      ++shown;
    }
  }
  note_hidden(to.table, hidden, "CPU", "core");
  if (untouched) {
    to.table.note(fmt::format("  none of its threads ran on the other {}",
                              Wording::number_of(untouched, "CPU")));
  }
}

template <typename AddRow>
void add_threads(const Page& page, const CellSummary& cell, Table& table, AddRow add_row) {
  if (cell.threads.empty()) return;
  table.heading(heading(page, cell));
  size_t shown = 0;
  for (const ThreadSummary& thread : cell.threads) {
    if (!page.options.per && shown == kManyLines) break;
    add_row("  " + printable(thread.name), thread);
    ++shown;
  }
  note_hidden(table, cell.threads.size() - shown, "thread", "thread");
}

}  // namespace

void print_cpu_tables(const Page& page) {
  const numbers::Whose whose = whose_of(page);
  CountedTable<CpuSummary> scheduling(cpu_columns(numbers::View::scheduling, whose));
  CountedTable<CpuSummary> gil(cpu_columns(numbers::View::gil, whose));
  std::string lock = "GIL";
  for (const CellSummary* cell : shown_cells(page)) {
    if (!cell->traced) continue;
    add_cpus(page, *cell, scheduling);
    if (!has_gil(*cell->cell)) continue;
    add_cpus(page, *cell, gil);
    lock = lock_heading(*cell->cell);
  }
  if (scheduling.table.empty()) return;
  page.title("CPUS", "what the scheduler did; counts a run, medians over the traced runs");
  scheduling.table.print(page.out, page.options.width);
  if (gil.table.empty()) return;
  page.title("CPUS AND THE " + lock,
             "attempts made on each CPU; wasted: of the wakeups that ran there");
  gil.table.print(page.out, page.options.width);
}

void print_thread_table(const Page& page) {
  CountedTable<ThreadSummary> threads(thread_columns(whose_of(page)));
  for (const CellSummary* cell : shown_cells(page)) {
    add_threads(page, *cell, threads.table,
                [&](const std::string& label, const ThreadSummary& thread) {
                  threads.row(page, label, thread);
                });
  }
  if (threads.table.empty()) return;
  page.title("THREADS", "counts a run, medians over the runs");
  threads.table.print(page.out, page.options.width);
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

void print_cpu_waits(const Page& page) {
  Table table(wait_columns());
  for (const CellSummary* cell : shown_cells(page)) {
    if (!cell->traced) continue;
    table.heading(page.wording.cell(*cell->cell));
    for (const CpuSummary& cpu : cell->cpus) {
      if (cpu.touched()) {
        table.row(fmt::format("  CPU {}", cpu.cpu), wait_numbers(page, cpu.histograms));
      }
    }
  }
  print_waits(page, table, "WAITS ON EACH CPU");
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
    add_threads(page, *cell, table, [&](const std::string& label, const ThreadSummary& thread) {
      table.row(label,
                {count(thread.perf_switches), count(thread.perf_migrations),
                 page.time(factor(thread.instructions_per_cycle)), count(thread.cache_misses)});
    });
  }
  if (table.empty()) return;
  page.title("THREADS BY PERF", "what perf events counted; counts a run, medians over the runs");
  table.print(page.out, page.options.width);
  page.paragraph("Every run counted them, and each of its switches took longer for it.");
}

}  // namespace gilscope
