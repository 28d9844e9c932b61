#include "tools/text/wait_tables.h"

#include <fmt/format.h>

#include "tools/analysis/wait_words.h"
#include "tools/text/table.h"

namespace gilscope {
namespace {

class WaitTable {
 public:
  explicit WaitTable(const Page& page)
      : page_(page),
        table_({{"", ""},
                {"waited", "in all"},
                {"waited", "for certain"},
                {"the waiter", "asleep", 2},
                {"the waiter", "runnable", 3},
                {"the waiter", "running", 4},
                {"the owner", "running", 1},
                {"the owner", "preempted"},
                {"the owner", "asleep", 1}}) {}

  void cell(const Cell& cell, const CellFindings& found, size_t most) {
    runs_ = double(found.sum.runs);
    const WaitLines all = wait_lines(found, most);
    uint64_t nobody = 0;
    for (const uint64_t ns : all.nobody_ns) nobody += ns;
    if (all.lines.empty() && !nobody) return;
    table_.heading(page_.wording.cell(cell));
    for (const WaitLine& line : all.lines) {
      table_.row(fmt::format("  {} for {}", line.waiter, line.owner), pair(line.waits));
    }
    if (all.left_out.total().ns) {
      table_.row(all.pairs_left_out
                     ? fmt::format("  {} more", Wording::number_of(all.pairs_left_out, "pair"))
                     : std::string("  pairs that found no place"),
                 pair(all.left_out));
    }
    if (nobody) table_.row("  no owner seen", while_nobody(all, nobody));
    if (found.sum.dropped) {
      table_.note(
          fmt::format("  with holes: {} dropped", Wording::number_of(found.sum.dropped, "record")));
    }
  }

  const Table& table() const { return table_; }

 private:
  Number time(uint64_t ns) const { return page_.time(duration(double(ns) / runs_)); }

  std::vector<Number> pair(const PairWaits& waits) const {
    std::vector<Number> columns;
    for (const uint64_t ns : columns_of(waits)) columns.push_back(time(ns));
    return columns;
  }

  std::vector<Number> while_nobody(const WaitLines& all, uint64_t nobody) const {
    std::vector<Number> numbers{time(nobody), {"-", ""}};
    for (const uint64_t ns : all.nobody_ns) numbers.push_back(time(ns));
    numbers.resize(8, {"-", ""});
    return numbers;
  }

  const Page& page_;
  Table table_;
  double runs_ = 1;
};

}  // namespace

void print_wait_tables(const Page& page, const Report& report, size_t most) {
  WaitTable waits(page);
  for (const CellSummary& summary : page.summary.cells) {
    const CellFindings* found = page.trace.of(report, *summary.cell);
    if (found && page.shows(summary)) waits.cell(*summary.cell, *found, most);
  }
  if (waits.table().empty()) return;
  page.title("WHO MADE WHOM WAIT",
             "a run, from the segments; for certain: the slots say so, elsewhere they bound it");
  waits.table().print(page.out, page.options.width);
}

}  // namespace gilscope
