#include "tools/text/trace_tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "tools/analysis/lock_name.h"
#include "tools/text/table.h"
#include "userspace/base/quote.h"

namespace gilscope {
namespace {

// Wider matrices are printed as a list of their largest entries.
constexpr size_t kMatrixColumns = 10;
constexpr size_t kListed = 20;

std::optional<double> share(uint64_t part, uint64_t whole) {
  if (whole == 0) return std::nullopt;
  return double(part) / double(whole);
}

std::optional<double> each_run(uint64_t sum, const TraceFindings& findings) {
  return share(sum, findings.runs);
}

Number quantile(const Histogram& histogram, double q) {
  const auto ns = histogram.quantile_ns(q);
  return duration(ns ? std::optional(double(*ns)) : std::nullopt);
}

// The mean number of waiters at a hand-off.
Number waiters(const GilUse& use) {
  uint64_t sum = 0;
  for (const auto& [waiters, handoffs] : use.convoy) sum += waiters * handoffs;
  const auto mean = share(sum, use.handoffs);
  return mean ? Number{fmt::format("{:.1f}", *mean), ""} : Number{"-", ""};
}

std::vector<Table::Column> gil_columns(const Report& report) {
  const std::string lock = lock_noun(report), held = "share of the time: " + lock;
  return {{"", ""},
          {held, "held"},
          {held, "off-CPU"},
          {held, "overlap", 4},
          {"idle while", lock + " free", 1},
          {"hand-offs", "a run"},
          {"hand-offs", "p50"},
          {"hand-offs", "p99"},
          {"hand-offs", "waiters", 2},
          {"longest chain", "of delay", 1},
          {"longest chain", "wakeups", 3}};
}

std::vector<Number> gil_numbers(const Page& page, const TraceFindings& of) {
  std::vector<Number> numbers(4, Number{"-", ""});
  numbers.resize(8, Number{"-", ""});
  if (of.gil) {
    const GilUse& use = *of.gil;
    const auto of_time = [&](uint64_t ns) { return page.time(percent(share(ns, of.span_ns))); };
    numbers = {of_time(use.held_ns()),
               of_time(use.held_off_cpu_ns),
               of_time(use.overlapping_ns),
               of_time(use.idle_while_free_ns),
               count(each_run(use.handoffs, of)),
               page.time(quantile(use.handoff, 0.5)),
               page.time(quantile(use.handoff, 0.99)),
               waiters(use)};
  }
  const bool chains = of.chain.delay.count() > 0;
  numbers.push_back(
      page.time(duration(chains ? std::optional(double(of.chain.longest_ns)) : std::nullopt)));
  numbers.push_back(count(chains ? std::optional(double(of.chain.longest_wakeups)) : std::nullopt));
  return numbers;
}

// Counts of pairs, with the names of rows and columns in the order of printing.
struct Matrix {
  std::string heading;
  std::vector<std::string> rows, columns;
  std::map<std::pair<size_t, size_t>, uint64_t> counts;  // by row and column
  size_t runs = 0;
};

void list_largest(Table& table, const Matrix& matrix) {
  std::vector<std::pair<uint64_t, std::pair<size_t, size_t>>> largest;
  for (const auto& [at, count] : matrix.counts) largest.emplace_back(count, at);
  std::ranges::stable_sort(largest, std::greater<>(),
                           [](const auto& entry) { return entry.first; });
  for (size_t i = 0; i < std::min(largest.size(), kListed); ++i) {
    const auto& [sum, at] = largest[i];
    table.row(fmt::format("  {} {}", matrix.rows[at.first], matrix.columns[at.second]),
              {count(share(sum, matrix.runs))});
  }
  if (largest.size() > kListed) {
    table.note(fmt::format("  and {} pairs more", largest.size() - kListed));
  }
}

void add_rows(Table& table, const Matrix& matrix, const std::vector<std::string>& columns) {
  for (size_t row = 0; row < matrix.rows.size(); ++row) {
    std::vector<Number> numbers(columns.size(), Number{".", ""});
    bool any = false;
    for (const auto& [at, sum] : matrix.counts) {
      if (at.first != row) continue;
      const auto column = std::ranges::find(columns, matrix.columns[at.second]) - columns.begin();
      numbers[size_t(column)] = count(share(sum, matrix.runs));
      any = true;
    }
    if (any) table.row("  " + matrix.rows[row], std::move(numbers));
  }
}

// One table where the columns are few and shared; otherwise lists.
void print_matrices(const Page& page, const std::vector<Matrix>& matrices) {
  std::vector<std::string> columns;
  for (const Matrix& matrix : matrices) {
    for (const std::string& name : matrix.columns) {
      if (std::ranges::find(columns, name) == columns.end()) columns.push_back(name);
    }
  }
  const bool few = columns.size() <= kMatrixColumns;
  std::vector<Table::Column> shape{{"", ""}};
  if (!few) shape.push_back({"", "a run"});
  if (few) {
    for (const std::string& name : columns) shape.push_back({"", name});
  }
  Table table(std::move(shape));
  for (const Matrix& matrix : matrices) {
    if (matrix.counts.empty()) continue;
    table.heading(matrix.heading);
    few ? add_rows(table, matrix, columns) : list_largest(table, matrix);
  }
  table.print(page.out, page.options.width);
}

template <typename Print>
void each_cell(const Page& page, const Report& report, Print print) {
  for (const CellSummary& summary : page.summary.cells) {
    const CellFindings* found = page.trace.of(report, *summary.cell);
    if (found) print(*summary.cell, *found);
  }
}

Matrix moves_of(const Page& page, const Cell& cell, const TraceFindings& findings) {
  Matrix matrix{page.wording.cell(cell), {}, {}, {}, findings.runs};
  std::map<int, size_t> order;
  for (const auto& [pair, migrations] : findings.moves) order[pair.first] = order[pair.second] = 0;
  for (auto& [cpu, index] : order) {
    index = matrix.rows.size();
    matrix.rows.push_back(fmt::format("from {}", cpu));
    matrix.columns.push_back(fmt::format("to {}", cpu));
  }
  for (const auto& [pair, migrations] : findings.moves) {
    matrix.counts[{order[pair.first], order[pair.second]}] = migrations;
  }
  return matrix;
}

Matrix wakers_of(const Page& page, const Cell& cell, const CellFindings& found) {
  Matrix matrix{page.wording.cell(cell), {}, {}, {}, found.sum.runs};
  for (const Thread& thread : found.runs.front().first->threads) {
    matrix.rows.push_back("by " + printable(thread.name));
    matrix.columns.push_back(printable(thread.name));
  }
  matrix.rows.push_back("by others");
  const WakerMatrix& wakers = found.sum.wakers;
  for (size_t waker = 0; waker < std::min(wakers.size(), matrix.rows.size()); ++waker) {
    for (size_t wakee = 0; wakee < std::min(wakers[waker].size(), matrix.columns.size()); ++wakee) {
      if (wakers[waker][wakee]) matrix.counts[{waker, wakee}] = wakers[waker][wakee];
    }
  }
  return matrix;
}

}  // namespace

void print_gil_table(const Page& page, const Report& report) {
  Table table(gil_columns(report));
  each_cell(page, report, [&](const Cell& cell, const CellFindings& found) {
    const CellSummary* summary = page.summary_of(cell);
    if (!summary || !page.shows(*summary) || !has_gil(cell)) return;
    table.heading(page.wording.cell(cell));
    table.row("", gil_numbers(page, found.sum));
  });
  if (table.empty()) return;
  page.title("THE " + lock_heading(report),
             "from the segments of the traced runs, those of a cell together");
  table.print(page.out, page.options.width);
}

void print_gil_blocks(const Page& page, const Report& report) {
  Table table(gil_columns(report));
  each_cell(page, report, [&](const Cell& cell, const CellFindings& found) {
    table.heading(page.wording.cell(cell));
    for (const auto& [run, findings] : found.runs) {
      table.row(fmt::format("  {}", run->block), gil_numbers(page, findings));
    }
  });
  if (table.empty()) return;
  page.title("THE " + lock_heading(report) + ", BLOCK BY BLOCK",
             "from the segments of each traced run");
  table.print(page.out, page.options.width);
}

void print_migrations(const Page& page, const Report& report) {
  if (!page.trace.any()) return;
  page.title("MIGRATIONS", "from one CPU to another, a run");
  std::vector<Matrix> matrices;
  each_cell(page, report, [&](const Cell& cell, const CellFindings& found) {
    matrices.push_back(moves_of(page, cell, found.sum));
  });
  print_matrices(page, matrices);
}

void print_wakers(const Page& page, const Report& report) {
  if (!page.trace.any()) return;
  page.title("WHO WOKE WHOM", "wakeups that ended a sleep, a run");
  std::vector<Matrix> matrices;
  each_cell(page, report, [&](const Cell& cell, const CellFindings& found) {
    matrices.push_back(wakers_of(page, cell, found));
  });
  print_matrices(page, matrices);
}

void print_missing_records(const Page& page) {
  if (page.trace.runs_without_files) {
    page.paragraph(fmt::format("The segments of {} are not beside the report: what comes from them "
                               "is missing here.",
                               Wording::number_of(page.trace.runs_without_files, "run")),
                   2);
  }
  uint64_t dropped = 0;
  for (const auto& cell : page.trace.cells) dropped += cell ? cell->sum.dropped : 0;
  if (dropped) {
    page.paragraph(fmt::format("What comes from segments has holes: {} dropped.",
                               Wording::number_of(dropped, "record")),
                   2);
  }
}

}  // namespace gilscope
