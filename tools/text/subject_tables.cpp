#include "tools/text/subject_tables.h"

#include <fmt/format.h>

#include <algorithm>

#include "tools/analysis/lock_name.h"
#include "tools/analysis/subject_words.h"
#include "tools/text/table.h"
#include "userspace/base/quote.h"

namespace gilscope {
namespace {

struct ThreadRow {
  const Cell* cell;
  const Thread* thread;
  std::string name;
  std::optional<uint64_t> waited_ns;
  std::optional<PairWaits> owner;  // while others waited

  // Busier ones come first.
  std::pair<uint64_t, uint64_t> rank() const {
    return {waited_ns.value_or(0) + (owner ? owner->total().ns : 0),
            thread->trace ? thread->trace->on_cpu_ns : 0};
  }
};

std::vector<ThreadRow> thread_rows(const Page& page, const Report& report) {
  std::vector<ThreadRow> rows;
  for (const Cell& cell : report.cells) {
    const Run* run = cell.subject ? subject_run(cell) : nullptr;
    if (!run) continue;
    const CellFindings* found = page.trace.of(report, cell);
    const WaitMatrix none, &waits = found ? found->sum.waits : none;
    const std::vector<PairWaits> owners = waits.owners();
    const std::vector<std::string> names = thread_names(*run);
    for (size_t slot = 0; slot < run->threads.size(); ++slot) {
      ThreadRow& row =
          rows.emplace_back(ThreadRow{&cell, &run->threads[slot], names[slot], {}, {}});
      if (slot >= waits.threads()) continue;
      row.waited_ns = waits.waited_ns(slot);
      row.owner = owners[slot];
    }
  }
  return rows;
}

Number time_of(const Page& page, std::optional<uint64_t> ns) {
  return page.time(duration(ns ? std::optional(double(*ns)) : std::nullopt));
}

Number number_of(std::optional<uint64_t> value) {
  return count(value ? std::optional(double(*value)) : std::nullopt);
}

}  // namespace

size_t subject_threads(const Report& report) {
  size_t threads = 0;
  for (const Cell& cell : report.cells) {
    const Run* run = cell.subject ? subject_run(cell) : nullptr;
    if (run) threads += run->threads.size();
  }
  return threads;
}

void print_subject_sentences(const Page& page, const Report& report) {
  if (!of_recordings(report)) return;
  page.out << "\n";
  for (const std::string& sentence : whose_faults(report, page.trace, page.summary.times)) {
    page.paragraph(page.bold(sentence), 2);
  }
}

void print_subject_counts(const Page& page, const Report& report, size_t most) {
  std::vector<const Cell*> cells;
  for (const Cell& cell : report.cells) {
    if (!counted_line(cell).empty()) cells.push_back(&cell);
  }
  if (cells.empty()) return;
  if (lock_noun(report) == "condition") {
    page.title("WAITS FOR THE CONDITION", "that slept");
  } else {
    page.title("ATTEMPTS TO GET THE " + lock_heading(report),
               "that slept for it; with bounds where a kind is not known");
  }
  for (size_t i = 0; i < cells.size() && i < most; ++i) {
    const std::string of =
        cells.size() > 1 ? fmt::format("PID {}: ", cells[i]->pid()) : std::string();
    page.paragraph(of + counted_line(*cells[i]), 2);
    if (const std::string test = self_test(*cells[i]); !test.empty()) page.paragraph(test, 2);
  }
  if (cells.size() > most) {
    page.paragraph(fmt::format("and of {} more, with --all",
                               Wording::number_of(cells.size() - most, "process")));
  }
}

void print_subject_threads(const Page& page, const Report& report, size_t most) {
  std::vector<ThreadRow> rows = thread_rows(page, report);
  if (rows.empty()) return;
  const bool gil =
      std::ranges::any_of(rows, [](const ThreadRow& row) { return has_gil(*row.cell); });
  std::vector<Table::Column> columns{{"", ""}, {"", "on-CPU"}};
  if (gil) {
    columns.insert(columns.end(), {{"", "waited"},
                                   {"held it while others waited", "running", 1},
                                   {"held it while others waited", "preempted", 1},
                                   {"held it while others waited", "asleep", 2},
                                   {"attempts", "failed"},
                                   {"attempts", "undecided", 3}});
  }
  columns.insert(columns.end(), {{"", "wakeups", 4}, {"", "migrated", 5}});
  const size_t all = rows.size();
  std::ranges::stable_sort(rows, std::greater<>(), &ThreadRow::rank);
  if (rows.size() > most) rows.resize(most);
  // In the report's order again: its slots are in one vector a run.
  std::ranges::stable_sort(rows, {}, [](const ThreadRow& row) { return row.cell; });
  Table table(std::move(columns));
  const Cell* last = nullptr;
  for (const ThreadRow& row : rows) {
    if (row.cell != last && report.cells.size() > 1) {
      table.heading(fmt::format("PID {}", row.cell->pid()));
    }
    last = row.cell;
    const auto& trace = row.thread->trace;
    const auto owner = [&](OwnerWas part) {
      return time_of(page, row.owner ? std::optional(row.owner->of(part).ns) : std::nullopt);
    };
    std::vector<Number> numbers{
        time_of(page, trace ? std::optional(trace->on_cpu_ns) : std::nullopt)};
    if (gil) {
      numbers.insert(numbers.end(),
                     {time_of(page, row.waited_ns), owner(OwnerWas::running),
                      owner(OwnerWas::preempted), owner(OwnerWas::asleep),
                      number_of(row.thread->gil.failed()), number_of(row.thread->gil.undecided)});
    }
    numbers.push_back(number_of(trace ? std::optional(trace->wakeups) : std::nullopt));
    numbers.push_back(
        number_of(trace ? std::optional(trace->migrations_wakeup + trace->migrations_preempt)
                        : std::nullopt));
    table.row("  " + row.name, std::move(numbers));
  }
  page.title("EACH THREAD",
             gil ? fmt::format("waited: for the {}; the busiest first", lock_noun(report))
                 : "the busiest first");
  table.print(page.out, page.options.width);
  if (rows.size() < all) {
    page.paragraph(fmt::format("and {} more, with --all", all - rows.size()), 2);
  }
}

}  // namespace gilscope
