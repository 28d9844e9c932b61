#include "tools/text/report.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>

#include "tools/analysis/environment_changes.h"
#include "tools/analysis/findings.h"
#include "tools/analysis/numbers.h"
#include "tools/text/disturbances.h"
#include "tools/text/headline.h"
#include "tools/text/report_tables.h"
#include "tools/text/screen.h"
#include "tools/text/subject_tables.h"
#include "tools/text/trace_tables.h"
#include "tools/text/wait_tables.h"
#include "userspace/base/output.h"
#include "userspace/base/quote.h"

namespace gilscope {
namespace {

constexpr size_t kManyFailures = 20;
// Of a cell; --per thread has all of them.
constexpr size_t kWaitingPairs = 8;

std::string fact(const Facts& facts, const std::string& key) {
  for (const Fact& fact : facts) {
    if (fact.key != key) continue;
    if (const auto* text = std::get_if<std::string>(&fact.value)) return printable(*text);
    if (const auto* number = std::get_if<int64_t>(&fact.value)) return std::to_string(*number);
  }
  return "";
}

}  // namespace

std::string machine_in_a_line(const Facts& facts) {
  std::vector<std::string> parts;
  const auto add = [&](const std::string& before, const std::string& value) {
    if (!value.empty()) parts.push_back(before + value);
  };
  add("", fact(facts, "host.name"));
  add("Linux ", fact(facts, "kernel.release"));
  add("", fact(facts, "cpu.model"));
  const std::string cpus = fact(facts, "cpu.count");
  if (!cpus.empty()) parts.push_back(cpus + (cpus == "1" ? " CPU" : " CPUs"));
  const std::string hypervisor = fact(facts, "virtualization.hypervisor");
  if (!hypervisor.empty() && hypervisor != "none") parts.push_back("in a VM (" + hypervisor + ")");
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : ", ") + part;
  return text;
}

namespace {

void print_head(const Page& page, const Report& report) {
  for (const std::string& line : what_and_where(report, page.summary, page.wording, SIZE_MAX)) {
    page.paragraph(line);
  }
  for (const std::string& line : warnings(report, page.summary)) page.paragraph(page.bold(line));
}

std::string coloured(const Page& page, const Finding& finding) {
  if (!page.options.color) return finding.sentence;
  const char* colour = finding.kind == Verdict::slower   ? "\033[31m"
                       : finding.kind == Verdict::faster ? "\033[32m"
                                                         : "\033[0m";
  return colour + finding.sentence + "\033[0m";
}

void print_findings(const Page& page) {
  const std::vector<Finding> all = findings(page.summary, page.wording);
  if (!all.empty()) page.out << "\n";
  for (const Finding& finding : all) page.paragraph(coloured(page, finding), 2);
}

void print_claim(const Page& page, const Report& report) {
  const std::string claim = claim_sentence(report, page.summary);
  if (claim.empty()) return;
  page.out << "\n";
  page.paragraph(page.bold(claim), 2);
}

void print_losses(const Page& page) {
  const LossSummary& lost = page.summary.lost;
  if (lost.traced_runs == 0) {
    page.paragraph("Nothing was traced.");
    return;
  }
  std::vector<std::string> lines;
  const auto say = [&](uint64_t n, const std::string& what, const std::string& meaning) {
    if (n) lines.push_back(Wording::number_of(n, what) + " " + meaning);
  };
  say(lost.sum.segments, "segment record",
      fmt::format("found no room, in {}: gone from the trace, not from the counters",
                  Wording::number_of(lost.runs_with_dropped, "run")));
  say(lost.sum.discarded, "time", "discarded, timestamps being out of order");
  say(lost.sum.censored, "wait", "cut off by the end of the window, in no histogram");
  say(lost.sum.untracked_threads, "thread", "started in the window and not tracked");
  say(lost.sum.missed_switches, "switch",
      "not reported by sched_switch: who had the CPU there is uncertain");
  say(lost.sum.recursion_misses, "event",
      "skipped by the kernel, a program of the tracer being busy: counters are too low");
  if (lost.sum.window_late_ns.value_or(0)) {
    lines.push_back(
        fmt::format("{} of doubt on each CPU's times, at most, in {}: the window's edges "
                    "were announced that late",
                    duration(double(*lost.sum.window_late_ns)).text(),
                    Wording::number_of(lost.runs_with_late_edges, "run")));
  }
  if (lines.empty()) {
    page.paragraph(fmt::format("Nothing lost in {}: no record dropped, no time discarded, no wait "
                               "cut off.",
                               Wording::number_of(lost.traced_runs, "traced run")),
                   2);
    return;
  }
  page.paragraph(fmt::format("Lost in {}:", Wording::number_of(lost.traced_runs, "traced run")));
  for (const std::string& line : lines) page.paragraph("  " + line + ".", 4);
}

void print_steal(const Page& page) {
  const StealSummary& steal = page.summary.steal;
  std::string text;
  if (steal.runs > 0) {
    text = fmt::format(
        "The hypervisor took more than {} of the CPU time of {}, at least {} of one of them: their "
        "wall times are less certain.",
        percent(kStealLimit).text(), Wording::number_of(steal.runs, "run"),
        percent(steal.worst_share).text());
  }
  if (steal.not_judged > 0) {
    text += fmt::format(
        "{}Whether the hypervisor took more than {} of the CPU time of {} is unknown: the kernel "
        "counts it in steps of {} ms, too coarse for so short a run.",
        text.empty() ? "" : " ", percent(kStealLimit).text(),
        Wording::number_of(steal.not_judged, steal.runs > 0 ? "other run" : "run"),
        kStealStepNs / 1e6);
  }
  if (!text.empty()) page.paragraph(text, 2);
}

void print_changes(const Page& page, const Report& report) {
  std::vector<std::string> changes;
  for (const EnvironmentChange& change : environment_changes(report)) {
    if (!change.matters) continue;
    changes.push_back(
        fmt::format("{} from {} to {}", printable(change.key), change.before, change.after));
  }
  if (changes.empty()) return;
  page.paragraph(
      fmt::format("The machine changed during the experiment: {}.", fmt::join(changes, "; ")), 2);
}

void print_failures(const Page& page, const Report& report) {
  if (page.summary.failed_runs == 0) return;
  page.paragraph(
      page.bold(fmt::format("{} failed:", Wording::number_of(page.summary.failed_runs, "run"))));
  size_t shown = 0;
  for (const Cell& cell : report.cells) {
    for (const Run& run : cell.runs) {
      if (run.status != "failed" || ++shown > kManyFailures) continue;
      page.paragraph(fmt::format("  block {}, {}, trace {}: {}", run.block, page.wording.cell(cell),
                                 printable(run.trace),
                                 run.failure.empty() ? "no reason given" : printable(run.failure)),
                     4);
    }
  }
  if (shown > kManyFailures) {
    page.paragraph(fmt::format("  and {} more", shown - kManyFailures));
  }
}

}  // namespace

void print_disturbances(const Page& page, const Report& report) {
  print_losses(page);
  print_missing_records(page);
  print_steal(page);
  print_left_out_runs(page);
  print_changes(page, report);
  print_failures(page, report);
}

TextOptions text_options_for_stdout() {
  TextOptions options;
  options.color = output_takes_colour();
  constexpr int kNarrowest = 40, kWidest = 160;
  if (const auto columns = terminal_columns(STDOUT_FILENO)) {
    options.width = std::clamp(*columns, kNarrowest, kWidest);
  }
  return options;
}

void print_text_report(std::ostream& out, const Report& report, const TextOptions& options,
                       const ReportFindings& trace) {
  const Summary summary(report);
  const Wording wording(report);
  const Page page{out, options, summary, wording, trace};
  if (options.per) {
    switch (*options.per) {
      case Per::cpu:
        print_cpu_tables(page);
        print_cpu_waits(page);
        return print_migrations(page, report);
      case Per::thread:
        print_thread_table(page);
        print_thread_waits(page);
        print_perf_table(page);
        print_wait_tables(page, report, SIZE_MAX);
        return print_wakers(page, report);
      case Per::block:
        print_block_table(page);
        return print_gil_blocks(page, report);
    }
  }
  if (!options.all) return print_screen(page, report);
  print_head(page, report);
  print_claim(page, report);
  print_findings(page);
  print_subject_sentences(page, report);
  print_slowdown_table(page);
  print_work_table(page);
  print_subject_counts(page, report, SIZE_MAX);
  print_subject_threads(page, report, SIZE_MAX);
  print_gil_table(page, report);
  print_wait_tables(page, report, kWaitingPairs);
  print_cpu_tables(page);
  print_thread_table(page);
  print_perf_table(page);
  print_tracer_table(page);
  out << "\n";
  print_disturbances(page, report);
  out << "\n";
  page.paragraph(
      "More of it, sequential runs included: gilscope show --per core, thread or block.");
}

}  // namespace gilscope
