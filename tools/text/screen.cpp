#include "tools/text/screen.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <sstream>

#include "tools/analysis/cpu_lines.h"
#include "tools/analysis/subject_words.h"
#include "tools/text/headline.h"
#include "tools/text/paragraph.h"
#include "tools/text/subject_tables.h"
#include "tools/text/table.h"
#include "userspace/base/quote.h"

namespace gilscope {
namespace {

// For what was lost or disturbed: the tables need the rest of the screen.
constexpr size_t kEndLines = 9;
// Of real programs: the processes whose counts are written out.
constexpr size_t kCountedCells = 2, kSentences = 3;

// How many rows of each table there is room for.
struct Rows {
  size_t slowdowns = 0, rates = 0, threads = 0, cpus = 0;

  // Takes one from whichever has most; false: each is down to one.
  bool shrink() {
    size_t* most = &cpus;
    for (size_t* other : {&slowdowns, &rates, &threads}) {
      if (*other > *most) most = other;
    }
    if (*most <= 1) return false;
    --*most;
    return true;
  }
};

std::string spread(const std::optional<Interval>& interval) {
  if (!interval) return "-";
  return fmt::format("{:.2f}..{:.2f}", interval->low, interval->high);
}

std::string cpus_of(const Cell& cell) {
  return cell.cpus.starts_with("cpu:") ? printable(cell.cpus.substr(4))
                                       : std::to_string(cell.cpu_list.size());
}

// The `most` items with the largest rank, in their own order.
template <typename Item, typename Rank>
std::vector<const Item*> largest(const std::vector<const Item*>& items, size_t most, Rank rank) {
  if (items.size() <= most) return items;
  std::vector<const Item*> sorted = items;
  std::ranges::stable_sort(sorted, std::greater<>(), rank);
  sorted.resize(most);
  std::ranges::sort(sorted);  // they are elements of one vector
  return sorted;
}

std::pair<int, double> rank_of(const PairSummary* pair) {
  if (!pair->slowdown || pair->verdict == Verdict::undecided) return {0, 0};
  return {pair->verdict == Verdict::slower ? 2 : 1, std::fabs(std::log(*pair->slowdown))};
}

class Screen {
 public:
  Screen(const Page& page, const Report& report)
      : page_(page), report_(report), lines_(cpu_lines(page.summary)) {
    for (const PairSummary& pair : page.summary.pairs) {
      const bool has_time = (pair.sequential_ns || pair.threaded_ns) && !is_recording(pair.cell());
      if (has_time && !(pair.threaded && pair.threaded->bounded_by_time())) pairs_.push_back(&pair);
    }
    for (const CellSummary& cell : page.summary.cells) {
      const bool real = is_recording(*cell.cell);
      if (page.shows(cell) && cell.bounded_by_time() && !real) rated_.push_back(&cell);
    }
    size_t cpus = 0;
    for (const CellLines& of : lines_) cpus += of.lines.size();
    rows_ = {std::min(pairs_.size(), kScreenLines), std::min(rated_.size(), kScreenLines),
             std::min(subject_threads(report), kScreenLines), std::min(cpus, kScreenLines)};
    head_ = drawn([&](const Page& to) { print_head(to); });
    end_ = drawn([&](const Page& to) { print_end(to); });
  }

  void print() {
    std::string text = whole();
    while (size_t(std::ranges::count(text, '\n')) > kScreenLines && rows_.shrink()) text = whole();
    page_.out << text;
  }

 private:
  template <typename Print>
  std::string drawn(Print print) const {
    std::ostringstream out;
    print(Page{out, page_.options, page_.summary, page_.wording, page_.trace});
    return out.str();
  }

  std::string whole() const {
    const auto tables = [&](const Page& to) {
      print_slowdowns(to);
      print_rates(to);
      print_subject_counts(to, report_, kCountedCells);
      print_subject_threads(to, report_, rows_.threads);
      print_cpus(to);
    };
    return head_ + drawn(tables) + end_;
  }

  // Of a real program people want to know first whose fault it is.
  void print_answer_first(const Page& page) const {
    for (const std::string& line : warnings(report_, page.summary)) {
      page.paragraph(page.bold(line), 2);
    }
    const auto sentences = headline(report_, page.summary, page.wording, page.trace);
    for (size_t i = 0; i < sentences.size() && i < kSentences; ++i) {
      page.paragraph(page.bold(sentences[i]), 2);
    }
    if (sentences.size() > kSentences) {
      page.paragraph(
          fmt::format("and of {}, with --all",
                      Wording::number_of(sentences.size() - kSentences, "other process")));
    }
    page.out << "\n";
    for (const std::string& line : what_and_where(report_, page.summary, page.wording, 0)) {
      page.paragraph(line, 2);
    }
  }

  void print_head(const Page& page) const {
    if (of_recordings(report_)) return print_answer_first(page);
    const size_t two_lines = 2 * size_t(std::max(page.options.width, 20)) - 10;
    for (const std::string& line : what_and_where(report_, page.summary, page.wording, two_lines)) {
      page.paragraph(line, 2);
    }
    for (const std::string& line : warnings(report_, page.summary)) {
      page.paragraph(page.bold(line), 2);
    }
    const auto sentences = headline(report_, page.summary, page.wording, page.trace);
    if (!sentences.empty()) page.out << "\n";
    for (const std::string& sentence : sentences) page.paragraph(page.bold(sentence), 2);
  }

  void print_slowdowns(const Page& page) const {
    if (pairs_.empty()) return;
    Table table({{"", "policy"},
                 {"", "CPUs"},
                 {"median wall time", "sequential", 2},
                 {"median wall time", "threaded", 2},
                 {"", "slowdown"},
                 {"", "95 % interval"},
                 {"", "verdict"},
                 {"", "blocks", 1}});
    for (const PairSummary* pair : largest(pairs_, rows_.slowdowns, rank_of)) {
      table.row(page.wording.subject(pair->cell()),
                {{cpus_of(pair->cell()), ""},
                 page.time(duration(pair->sequential_ns)),
                 page.time(duration(pair->threaded_ns)),
                 page.time(factor(pair->slowdown)),
                 page.time({spread(pair->interval), ""}),
                 page.time({pair->slowdown ? name_of(pair->verdict) : "-", ""}),
                 {pair->blocks.empty() ? "-" : std::to_string(pair->blocks.size()), ""}});
    }
    page.title("SLOWDOWN", "threaded over sequential wall time in the same block");
    table.print(page.out, page.options.width);
    const auto decided = [](const PairSummary* pair) { return rank_of(pair).first > 0; };
    note_hidden(page, pairs_.size(), rows_.slowdowns, std::ranges::any_of(pairs_, decided));
  }

  void print_rates(const Page& page) const {
    if (rated_.empty()) return;
    Table table({{"", ""},
                 {"", "operations/s"},
                 {"latency", "p50"},
                 {"latency", "p99"},
                 {"beside / alone", "ratio", 1},
                 {"beside / alone", "95 % interval", 2},
                 {"beside / alone", "verdict", 2}});
    const auto rank = [&](const CellSummary* cell) {
      const RatePair* pair = rate_of(*cell);
      const bool decided = pair && pair->verdict != Verdict::undecided && pair->interval;
      return decided ? std::fabs(std::log(*pair->ratio)) : 0.0;
    };
    for (const CellSummary* cell : largest(rated_, rows_.rates, rank)) {
      const RatePair* pair = rate_of(*cell);
      table.row(named(page, *cell), {page.time(count(cell->result("operations_per_s"))),
                                     page.time(duration(cell->result("latency_p50_ns"))),
                                     page.time(duration(cell->result("latency_p99_ns"))),
                                     page.time(factor(pair ? pair->ratio : std::nullopt)),
                                     page.time({pair ? spread(pair->interval) : "-", ""}),
                                     page.time({pair ? name_of(pair->verdict) : "-", ""})});
    }
    page.title("WORK", "a second, medians; beside: with computing threads, over the same without");
    table.print(page.out, page.options.width);
    const auto decided = [&](const CellSummary* cell) { return rank(cell) > 0; };
    note_hidden(page, rated_.size(), rows_.rates, std::ranges::any_of(rated_, decided));
  }

  void print_cpus(const Page& page) const {
    const CpuSelection chosen = selected(lines_, rows_.cpus);
    if (chosen.cells.empty()) return;
    Table table({{"", ""},
                 {"", "CPU"},
                 {"", "on-CPU", 1},
                 {"", "wakeups"},
                 {"", "migrations"},
                 {"failed", "acquisitions"},
                 {"wasted", "wakeups"}});
    for (const CellLines& of : chosen.cells) {
      std::string label = named(page, *of.cell);
      for (const CpuLine& line : of.lines) {
        table.row(label, {{std::to_string(line.cpu), ""},
                          page.time(percent(line.on_cpu_share)),
                          count(line.wakeups),
                          count(line.migrations),
                          count(line.failed),
                          percent(line.wasted_share)});
        label.clear();
      }
    }
    page.title("EACH CPU", "counts a run, medians over the traced runs; wasted: of its wakeups");
    table.print(page.out, page.options.width);
    std::vector<std::string> hidden;
    if (chosen.cpus_left_out) {
      hidden.push_back(Wording::number_of(chosen.cpus_left_out, "CPU") + " of these cells");
    }
    if (chosen.cells_left_out) {
      hidden.push_back(Wording::number_of(chosen.cells_left_out, "other cell"));
    }
    if (!hidden.empty()) {
      page.paragraph(fmt::format("and {}, with --per core", fmt::join(hidden, ", and ")), 2);
    }
  }

  void print_end(const Page& page) const {
    page.out << "\n";
    size_t left = kEndLines, hidden = 0;
    for (const std::string& line :
         short_disturbances(report_, page.summary, page.wording, page.trace)) {
      const std::string text = wrapped(line, page.options.width, 2);
      const size_t lines = size_t(std::ranges::count(text, '\n'));
      if (lines > left || hidden) {
        ++hidden;
        continue;
      }
      page.out << text;
      left -= lines;
    }
    if (hidden) page.paragraph(fmt::format("And {} more such, with --all.", hidden));
    const std::string& report = page.options.report;
    page.paragraph(
        report.empty()
            ? "More: --all prints every table; --out DIR keeps the report for gilscope show, html "
              "and compare."
            : fmt::format("More: gilscope show {} --per core, thread or block, or --all; gilscope "
                          "html {} -o FILE.",
                          printable(report), printable(report)),
        2);
  }

  // "check-interval:100 on 2 CPUs", with the arrangement where cells are sequential.
  static std::string named(const Page& page, const CellSummary& cell) {
    return cell.cell->arrangement == "threaded" && !is_recording(*cell.cell)
               ? fmt::format("{} on {}", page.wording.subject(*cell.cell),
                             Wording::cpus(*cell.cell))
               : page.wording.cell(*cell.cell);
  }

  const RatePair* rate_of(const CellSummary& cell) const {
    for (const RatePair& pair : page_.summary.rates) {
      if (pair.beside == &cell) return &pair;
    }
    return nullptr;
  }

  static void note_hidden(const Page& page, size_t all, size_t shown, bool any_decided) {
    if (shown >= all) return;
    page.paragraph(fmt::format("and {} more, with --all{}", all - shown,
                               any_decided ? "; these differ most" : ""),
                   2);
  }

  const Page& page_;
  const Report& report_;
  std::vector<const PairSummary*> pairs_;  // that a wall time can be said of
  std::vector<const CellSummary*> rated_;  // bounded by time
  std::vector<CellLines> lines_;
  std::string head_, end_;
  Rows rows_;
};

}  // namespace

void print_screen(const Page& page, const Report& report) {
  Screen(page, report).print();
}

}  // namespace gilscope
