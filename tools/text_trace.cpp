#include "tools/text_trace.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "tools/table.h"
#include "userspace/util/quote.h"

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

// The mean of the waiters at a hand-off.
Number waiters(const GilUse& use) {
  uint64_t sum = 0;
  for (const auto& [waiters, handoffs] : use.convoy) sum += waiters * handoffs;
  const auto mean = share(sum, use.handoffs);
  return mean ? Number{fmt::format("{:.1f}", *mean), ""} : Number{"-", ""};
}

std::vector<Table::Column> gil_columns() {
  return {{"", ""},
          {"share of the time: GIL", "held"},
          {"share of the time: GIL", "off-CPU"},
          {"share of the time: GIL", "overlap", 4},
          {"idle while", "GIL free", 1},
          {"hand-offs", "a run"},
          {"hand-offs", "p50"},
          {"hand-offs", "p99"},
          {"hand-offs", "waiters", 2},
          {"longest chain", "of delay", 1},
          {"longest chain", "wakeups", 3}};
}

std::vector<Number> gil_numbers(const TraceFindings& of) {
  std::vector<Number> numbers(4, Number{"-", ""});
  numbers.resize(8, Number{"-", ""});
  if (of.gil) {
    const GilUse& use = *of.gil;
    numbers = {percent(share(use.held_ns(), of.span_ns)),
               percent(share(use.held_off_cpu_ns, of.span_ns)),
               percent(share(use.overlapping_ns, of.span_ns)),
               percent(share(use.idle_while_free_ns, of.span_ns)),
               count(each_run(use.handoffs, of)),
               quantile(use.handoff, 0.5),
               quantile(use.handoff, 0.99),
               waiters(use)};
  }
  const bool chains = of.chain.delay.count() > 0;
  numbers.push_back(duration(chains ? std::optional(double(of.chain.longest_ns)) : std::nullopt));
  numbers.push_back(count(chains ? std::optional(double(of.chain.longest_wakeups)) : std::nullopt));
  return numbers;
}

struct Entry {
  size_t from, to;
  uint64_t count;
};

// Rows and columns by name; entries a run.
void print_matrix(const Page& page, const std::string& heading,
                  const std::vector<std::string>& rows, const std::vector<std::string>& columns,
                  std::vector<Entry> entries, const TraceFindings& findings) {
  std::vector<Table::Column> shape{{"", ""}};
  if (columns.size() > kMatrixColumns) {
    shape.push_back({"", "a run"});
    Table list(std::move(shape));
    list.heading(heading);
    std::ranges::stable_sort(entries, std::greater<>(), &Entry::count);
    for (size_t i = 0; i < std::min(entries.size(), kListed); ++i) {
      const Entry& entry = entries[i];
      list.row(fmt::format("  {} -> {}", rows[entry.from], columns[entry.to]),
               {count(each_run(entry.count, findings))});
    }
    if (entries.size() > kListed) {
      list.note(fmt::format("  and {} pairs more", entries.size() - kListed));
    }
    return list.print(page.out, page.options.width);
  }
  for (const std::string& name : columns) shape.push_back({"", name});
  Table matrix(std::move(shape));
  matrix.heading(heading);
  for (size_t row = 0; row < rows.size(); ++row) {
    std::vector<Number> numbers(columns.size(), Number{".", ""});
    bool any = false;
    for (const Entry& entry : entries) {
      if (entry.from != row) continue;
      numbers[entry.to] = count(each_run(entry.count, findings));
      any = true;
    }
    if (any) matrix.row("  " + rows[row], std::move(numbers));
  }
  matrix.print(page.out, page.options.width);
}

template <typename Print>
void each_cell(const Page& page, const Report& report, Print print) {
  for (const CellSummary& summary : page.summary.cells) {
    const CellFindings* found = page.trace.of(report, *summary.cell);
    if (found) print(*summary.cell, *found);
  }
}

void print_moves_of(const Page& page, const Cell& cell, const CellFindings& found) {
  std::set<int> cpus;
  for (const auto& [pair, migrations] : found.sum.moves) cpus.insert({pair.first, pair.second});
  if (cpus.empty()) return;
  const std::vector<int> order(cpus.begin(), cpus.end());
  const auto index = [&](int cpu) {
    return size_t(std::ranges::lower_bound(order, cpu) - order.begin());
  };
  std::vector<std::string> rows, columns;
  for (const int cpu : order) {
    rows.push_back(fmt::format("from {}", cpu));
    columns.push_back(fmt::format("to {}", cpu));
  }
  std::vector<Entry> entries;
  for (const auto& [pair, migrations] : found.sum.moves) {
    entries.push_back({index(pair.first), index(pair.second), migrations});
  }
  print_matrix(page, page.wording.cell(cell), rows, columns, std::move(entries), found.sum);
}

void print_wakers_of(const Page& page, const Cell& cell, const CellFindings& found) {
  const std::vector<Thread>& threads = found.runs.front().first->threads;
  std::vector<std::string> rows, columns;
  for (const Thread& thread : threads) {
    rows.push_back("by " + printable(thread.name));
    columns.push_back(printable(thread.name));
  }
  rows.push_back("by others");
  std::vector<Entry> entries;
  const WakerMatrix& matrix = found.sum.wakers;
  for (size_t waker = 0; waker < std::min(matrix.size(), rows.size()); ++waker) {
    for (size_t wakee = 0; wakee < std::min(matrix[waker].size(), columns.size()); ++wakee) {
      if (matrix[waker][wakee]) entries.push_back({waker, wakee, matrix[waker][wakee]});
    }
  }
  if (entries.empty()) return;
  print_matrix(page, page.wording.cell(cell), rows, columns, std::move(entries), found.sum);
}

}  // namespace

void print_gil_table(const Page& page, const Report& report) {
  Table table(gil_columns());
  each_cell(page, report, [&](const Cell& cell, const CellFindings& found) {
    const CellSummary* summary = page.summary_of(cell);
    if (!summary || !page.shows(*summary)) return;
    table.row(page.wording.cell(cell), gil_numbers(found.sum));
  });
  if (table.empty()) return;
  page.title("THE GIL", "from the segments of the traced runs, those of a cell together");
  table.print(page.out, page.options.width);
}

void print_gil_blocks(const Page& page, const Report& report) {
  Table table(gil_columns());
  each_cell(page, report, [&](const Cell& cell, const CellFindings& found) {
    table.heading(page.wording.cell(cell));
    for (const auto& [run, findings] : found.runs) {
      table.row(fmt::format("  {}", run->block), gil_numbers(findings));
    }
  });
  if (table.empty()) return;
  page.title("THE GIL, BLOCK BY BLOCK", "from the segments of each traced run");
  table.print(page.out, page.options.width);
}

void print_migrations(const Page& page, const Report& report) {
  if (!page.trace.any()) return;
  page.title("MIGRATIONS", "from one CPU to another, a run");
  each_cell(page, report, [&](const Cell& cell, const CellFindings& found) {
    print_moves_of(page, cell, found);
  });
}

void print_wakers(const Page& page, const Report& report) {
  if (!page.trace.any()) return;
  page.title("WHO WOKE WHOM", "wakeups that ended a sleep, a run");
  each_cell(page, report, [&](const Cell& cell, const CellFindings& found) {
    print_wakers_of(page, cell, found);
  });
}

void print_holes(const Page& page) {
  if (page.trace.away) {
    page.paragraph(fmt::format("The segments of {} are not beside the report: what comes from them "
                               "is missing here.",
                               Wording::number_of(page.trace.away, "run")),
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
