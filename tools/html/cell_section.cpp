#include "tools/html/cell_section.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "tools/analysis/lock_name.h"
#include "tools/analysis/subject_words.h"
#include "tools/html/heat_map.h"
#include "tools/html/histogram_plot.h"
#include "tools/html/html_table.h"
#include "tools/html/markup.h"
#include "tools/html/subject_section.h"
#include "tools/html/wait_section.h"
#include "userspace/base/quote.h"

namespace gilscope {
namespace {

// The CPUs or threads of one cell that are shown; `gilscope show --per` has all of them.
constexpr size_t kManyLines = 32;

using Datum = HtmlTable::Datum;
using Value = std::optional<double>;

Datum counted(Value value) {
  return {count(value), value};
}
Datum timed(const Times& times, Value value) {
  return {times.of(duration(value)), value};
}
Datum timed_share(const Times& times, Value value) {
  return {times.of(percent(value)), value};
}

Value share(uint64_t part, uint64_t whole) {
  return whole == 0 ? std::nullopt : Value(double(part) / double(whole));
}

void note_hidden(HtmlTable& table, size_t hidden, const char* what) {
  if (hidden == 0) return;
  table.note(
      fmt::format("and {} more: gilscope show --per {}", Wording::number_of(hidden, what), what));
}

// The columns are rows of bpf/numbers.def. A failed acquisition is defined once, for the whole run.
template <typename Of>
HtmlTable table_of(const std::string& title, const std::vector<SummaryColumn<Of>>& columns) {
  std::vector<HtmlTable::Column> all{{"", "", ""}};
  for (const SummaryColumn<Of>& of : columns) {
    constexpr std::string_view kFailed = "failed.";
    all.push_back({of.column.group, of.column.name,
                   of.key.starts_with(kFailed) ? of.key.substr(kFailed.size()) : of.key});
  }
  return HtmlTable(title, std::move(all));
}

template <typename Of>
std::vector<Datum> data_of(const std::vector<SummaryColumn<Of>>& columns, const Of& of,
                           const Times& times) {
  std::vector<Datum> data;
  for (const SummaryColumn<Of>& column : columns) {
    data.push_back({column.number(of, times), of.*column.median});
  }
  return data;
}

std::string cpu_table(const std::string& title, numbers::View view, const CellSummary& cell,
                      const Times& times) {
  const auto columns = cpu_columns(view, whose(*cell.cell));
  HtmlTable table = table_of(title, columns);
  size_t shown = 0, hidden = 0, untouched = 0;
  for (const CpuSummary& cpu : cell.cpus) {
    if (!cpu.touched()) {
      ++untouched;
    } else if (shown == kManyLines) {
      ++hidden;
    } else {
      table.row(fmt::format("CPU {}", cpu.cpu), data_of(columns, cpu, times),
                fmt::format("data-cpu=\"{}\"", cpu.cpu));
      ++shown;
    }
  }
  note_hidden(table, hidden, "core");
  if (untouched) {
    table.note(fmt::format("none of its threads ran on the other {}",
                           Wording::number_of(untouched, "core")));
  }
  return table.html();
}

std::string cpu_tables(const CellSummary& cell, const Times& times) {
  if (!cell.traced) return "<p>Not traced: nothing is known of its CPUs.</p>\n";
  return cpu_table("CPUs: what the scheduler did; counts a run, medians over the traced runs",
                   numbers::View::scheduling, cell, times) +
         (has_gil(*cell.cell)
              ? cpu_table(
                    fmt::format("CPUs and {}: attempts made on each; medians over the traced runs",
                                lock_name(*cell.cell)),
                    numbers::View::gil, cell, times)
              : "");
}

std::string thread_table(const CellSummary& cell, const Times& times) {
  if (cell.threads.empty()) return "";
  const auto columns = thread_columns(whose(*cell.cell));
  HtmlTable table = table_of("Threads: counts a run, medians over the runs", columns);
  size_t shown = 0;
  for (const ThreadSummary& thread : cell.threads) {
    if (shown == kManyLines) break;
    table.row(escaped(thread.name), data_of(columns, thread, times),
              fmt::format("data-thread=\"{}\"", shown));
    ++shown;
  }
  note_hidden(table, cell.threads.size() - shown, "thread");
  return table.html();
}

// The counts of perf events, where the experiment asked for them.
std::string perf_table(const CellSummary& cell, const Times& times) {
  if (std::ranges::none_of(cell.threads, &ThreadSummary::perf)) return "";
  HtmlTable table(
      "Threads by perf: counts a run, medians over the runs; every switch took longer for it",
      {{"", "", ""},
       {"context", "switches", "perf.context_switches"},
       {"", "migrations", "perf.migrations"},
       {"instructions", "per cycle", "perf.instructions"},
       {"cache", "misses", "perf.cache_misses"}});
  size_t shown = 0;
  for (const ThreadSummary& thread : cell.threads) {
    if (shown++ == kManyLines) break;
    table.row(escaped(thread.name),
              {counted(thread.perf_switches),
               counted(thread.perf_migrations),
               {times.of(factor(thread.instructions_per_cycle)), thread.instructions_per_cycle},
               counted(thread.cache_misses)});
  }
  note_hidden(table, cell.threads.size() - std::min(cell.threads.size(), kManyLines), "thread");
  return table.html();
}

std::string gil_table(const TraceFindings& sum, const Cell& cell, const Times& times) {
  if (!sum.gil) return "";
  const GilUse& use = *sum.gil;
  const std::string lock = cell.subject ? lock_noun(*cell.subject) : "GIL";
  HtmlTable table(
      fmt::format("The {}: from the segments of the traced runs, all of them together", lock),
      {{"", "", ""},
       {"share of the time", "held on-CPU", "gil.held_on_cpu_ns"},
       {"share of the time", "held off-CPU", "held_off_cpu_ns"},
       {"share of the time", "overlap", "gil.overlapping_ns"},
       {"share of the time", "CPU idle, " + lock + " free", "gil.idle_while_free_ns"},
       {"hand-offs", "a run", "gil.handoffs"},
       {"hand-offs", "release unseen", "gil.handoffs_unseen"},
       {"hand-offs", "waiters, mean", "gil.convoy"},
       {"longest chain", "of delay", "chain.longest_ns"},
       {"longest chain", "wakeups", "longest_wakeups"}});
  uint64_t waiters = 0;
  for (const auto& [length, handoffs] : use.convoy) waiters += length * handoffs;
  const Value mean = share(waiters, use.handoffs);
  const bool chains = sum.chain.delay.count() > 0;
  table.row(lock, {timed_share(times, share(use.held_on_cpu_ns, sum.span_ns)),
                   timed_share(times, share(use.held_off_cpu_ns, sum.span_ns)),
                   timed_share(times, share(use.overlapping_ns, sum.span_ns)),
                   timed_share(times, share(use.idle_while_free_ns, sum.span_ns)),
                   counted(share(use.handoffs, sum.runs)),
                   counted(share(use.handoffs_unseen, sum.runs)),
                   {mean ? Number{fmt::format("{:.1f}", *mean), ""} : Number{"-", ""}, mean},
                   timed(times, chains ? Value(double(sum.chain.longest_ns)) : std::nullopt),
                   counted(chains ? Value(double(sum.chain.longest_wakeups)) : std::nullopt)});
  return table.html();
}

// How many threads waited at a hand-off.
std::string convoy(const GilUse& use, const std::string& lock) {
  if (use.convoy.empty()) return "";
  HeatMap map;
  map.title = fmt::format("Threads that waited for {} at a hand-off, and how often", lock);
  map.from = "", map.to = "waiters";
  map.rows = {"hand-offs"};
  map.counts.emplace_back();
  map.key = "convoy";
  for (const auto& [waiters, handoffs] : use.convoy) {
    map.columns.push_back(std::to_string(waiters));
    map.counts[0].push_back(handoffs);
  }
  return heat_map(std::move(map));
}

Histograms of_runs(const Cell& cell) {
  Histograms sum;
  for (const Run& run : cell.runs) {
    if (measured(run) && run.traced() && run.histograms) sum += *run.histograms;
  }
  return sum;
}

std::string distributions(const CellSummary& cell, const CellFindings* found) {
  const Histograms sum = of_runs(*cell.cell);
  std::string plots =
      histogram_plot("Wake to run", "wake_to_run", sum.wake_to_run) +
      histogram_plot("Preempted, waiting for a CPU", "preempt_wait", sum.preempt_wait) +
      histogram_plot("Length of a segment", "run", sum.run);
  if (found) {
    const CellSubject* subject = cell.cell->subject ? &*cell.cell->subject : nullptr;
    const std::string lock = subject ? lock_noun(*subject) : "GIL";
    plots += histogram_plot(lock + " held", "holding", found->sum.holding) +
             histogram_plot(lock + " waited for", "waiting", found->sum.waiting);
    if (found->sum.gil) {
      plots += histogram_plot("Hand-off latency", "gil.handoff", found->sum.gil->handoff);
    }
    plots += histogram_plot("Chain of scheduling delay", "chain.delay", found->sum.chain.delay);
  }
  if (plots.empty()) return "";
  return "<h4>Distributions, all traced runs together</h4>\n<div class=\"plots\">" + plots +
         "</div>\n";
}

// Wakeups as four counts of each CPU.
std::string wakeups_map(const CellSummary& cell) {
  HeatMap map;
  map.title =
      "Wakeups by CPU: where the waker ran, where the thread had run, where it was placed, "
      "where it ran; medians a run";
  map.from = "", map.to = "core";
  map.rows = {"waker", "previous", "placed", "ran"};
  map.key = "wakeups";
  map.counts.resize(4);
  for (const CpuSummary& cpu : cell.cpus) {
    if (!cpu.touched()) continue;
    map.columns.push_back(std::to_string(cpu.cpu));
    const Value values[] = {cpu.waker, cpu.previous, cpu.placed, cpu.ran};
    for (size_t i = 0; i < 4; ++i) map.counts[i].push_back(uint64_t(values[i].value_or(0)));
  }
  if (map.columns.size() < 2) return "";
  return heat_map(std::move(map));
}

std::string moves_map(const TraceFindings& sum) {
  std::set<int> cpus;
  for (const auto& [pair, migrations] : sum.moves) cpus.insert({pair.first, pair.second});
  if (cpus.empty()) return "";
  HeatMap map;
  map.title =
      fmt::format("Migrations, from CPU to CPU, in {}", Wording::number_of(sum.runs, "run"));
  map.from = "from", map.to = "to";
  map.key = "migrations";
  for (const int cpu : cpus) map.rows.push_back(std::to_string(cpu));
  map.columns = map.rows;
  for (const int from : cpus) {
    std::vector<uint64_t>& row = map.counts.emplace_back();
    for (const int to : cpus) {
      const auto found = sum.moves.find({from, to});
      row.push_back(found == sum.moves.end() ? 0 : found->second);
    }
  }
  return heat_map(std::move(map));
}

std::string wakers_map(const CellFindings& found) {
  const WakerMatrix& matrix = found.sum.wakers;
  const std::vector<Thread>& threads = found.runs.front().first->threads;
  if (found.sum.wakeups == 0 || matrix.size() != threads.size() + 1) return "";
  HeatMap map;
  map.title = fmt::format("Who woke whom, in {}", Wording::number_of(found.sum.runs, "run"));
  map.from = "waker", map.to = "woken";
  map.key = "wakers";
  for (const Thread& thread : threads) map.columns.push_back(printable(thread.name));
  map.rows = map.columns;
  map.rows.push_back("others");
  map.counts = matrix;
  return heat_map(std::move(map));
}

std::string maps(const CellSummary& cell, const CellFindings* found) {
  std::string out = wakeups_map(cell);
  if (found) {
    out += moves_map(found->sum) + wakers_map(*found);
    if (found->sum.gil) out += convoy(*found->sum.gil, lock_name(*cell.cell));
  }
  return out.empty() ? "" : "<div class=\"maps\">" + out + "</div>\n";
}

std::string holes(const CellFindings& found) {
  if (found.sum.dropped == 0) return "";
  return fmt::format(
      "<p class=\"warning\">{} of this cell found no room: what comes from segments (the "
      "GIL's "
      "time, hand-offs, matrices, timelines) lacks them; the counters do not.</p>\n",
      Wording::number_of(found.sum.dropped, "record"));
}

}  // namespace

std::string cell_section(const PageContent& page, const CellSummary& cell,
                         const std::string& timelines, bool open) {
  const Times& times = page.summary.times;
  const size_t index = size_t(cell.cell - page.report.cells.data());
  const CellFindings* found = page.trace.findings.of(page.report, *cell.cell);
  const bool rate = cell.bounded_by_time() && !is_recording(*cell.cell);
  const char* key = rate ? "operations_per_s" : "wall_ns";
  const auto value = rate ? cell.result(key) : cell.wall_ns;
  Number shown = rate ? count(value) : duration(value);
  if (rate) shown.unit += "/s";
  std::string out = fmt::format(
      "<details class=\"cell\" id=\"cell-{0}\" data-cell=\"{0}\"{1}><summary><h3>{2}</h3> <span "
      "data-key=\"{7}\" data-value=\"{3}\">{4}</span>, {5}{6}</summary>\n",
      index, open ? " open" : "", escaped(page.wording.cell(*cell.cell)), plain(value.value_or(0)),
      number_html(times.of(shown)), Wording::number_of(cell.runs, "run"),
      cell.disturbed ? fmt::format(", {} more left out by limits", cell.disturbed) : "", key);
  if (found) out += holes(*found);
  if (cell.cell->subject) out += subject_section(*cell.cell, found, times);
  out += timelines + cpu_tables(cell, times) + thread_table(cell, times) + perf_table(cell, times);
  if (found && has_gil(*cell.cell)) out += gil_table(found->sum, *cell.cell, times);
  if (found) out += wait_section(*cell.cell, *found, times);
  // Times under an emulator mean nothing, so neither do their distributions.
  if (!times.emulated) out += distributions(cell, found);
  return out + maps(cell, found) + "</details>\n";
}

}  // namespace gilscope
