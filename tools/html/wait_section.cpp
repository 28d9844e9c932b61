#include "tools/html/wait_section.h"

#include <fmt/format.h>

#include "tools/analysis/lock_name.h"
#include "tools/analysis/wait_words.h"
#include "tools/html/heat_map.h"
#include "tools/html/html_table.h"
#include "tools/html/markup.h"

namespace gilscope {
namespace {

// Pairs of one cell; `gilscope show --per thread` has all of them.
constexpr size_t kManyPairs = 12;
// A matrix of more threads would not fit a page; the table has the worst of them.
constexpr size_t kManyThreads = 1024;

std::string map_of(const std::string& lock, const CellFindings& found) {
  const WaitMatrix& waits = found.sum.waits;
  if (waits.threads() > kManyThreads) return "";
  HeatMap map;
  map.title = fmt::format("Who waited for {} while who had it, in {}", lock,
                          Wording::number_of(found.sum.runs, "run"));
  map.from = "waiter", map.to = "owner";
  map.key = "waits";
  map.of_times = true;
  map.rows = thread_names(found);
  map.rows.resize(waits.threads());
  map.columns = map.rows;
  map.columns.emplace_back("nobody seen");
  const bool others = waits.others_ns() > 0;
  if (others) map.columns.emplace_back("threads without a column");
  map.own_columns = others ? 2 : 1;
  for (const WaitMatrix::Row& row : waits.rows()) {
    std::vector<uint64_t>& times = map.counts.emplace_back(map.columns.size());
    for (const WaitMatrix::Pair& pair : row.pairs) times[pair.owner] = pair.waits.total().ns;
    times[waits.threads()] = row.nobody();
    if (others) times.back() = row.others.total().ns;
  }
  return "<div class=\"maps\">" + heat_map(std::move(map)) + "</div>\n";
}

std::string table_of(const std::string& lock, const CellFindings& found, const Times& times) {
  HtmlTable table(
      fmt::format("Who made whom wait for {}: the pairs that waited longest, a run; for certain: "
                  "the slots say so, elsewhere they bound it",
                  lock),
      {{"", "", ""},
       {"waited", "in all", "waits"},
       {"waited", "for certain", "waits"},
       {"the waiter", "asleep", "waits"},
       {"the waiter", "runnable", "waits"},
       {"the waiter", "running", "waits"},
       {"the owner", "running", "waits"},
       {"the owner", "preempted", "waits"},
       {"the owner", "asleep", "waits"}});
  const auto time = [&](uint64_t ns) -> HtmlTable::Datum {
    const double each = double(ns) / double(found.sum.runs);
    return {times.of(duration(each)), each};
  };
  const auto pair = [&](const PairWaits& waits) -> std::vector<HtmlTable::Datum> {
    std::vector<HtmlTable::Datum> columns;
    for (const uint64_t ns : columns_of(waits)) columns.push_back(time(ns));
    return columns;
  };
  const WaitLines all = wait_lines(found, kManyPairs);
  size_t shown = 0;
  for (const WaitLine& line : all.lines) {
    table.row(escaped(fmt::format("{} for {}", line.waiter, line.owner)), pair(line.waits),
              fmt::format("data-pair=\"{}\"", shown++));
  }
  if (all.pairs_left_out) {
    table.row(escaped(Wording::number_of(all.pairs_left_out, "more pair")), pair(all.left_out));
    table.note("all of them: gilscope show --per thread");
  } else if (all.left_out.total().ns) {
    table.row("threads without a column", pair(all.left_out));
  }
  return table.html();
}

}  // namespace

std::string wait_section(const Cell& cell, const CellFindings& found, const Times& times) {
  if (found.sum.waits.waited_ns() == 0 || found.runs.empty() || times.emulated) return "";
  const std::string lock = lock_name(cell);
  return table_of(lock, found, times) + map_of(lock, found);
}

}  // namespace gilscope
