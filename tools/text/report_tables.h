// The tables of the text report.
#pragma once

#include <ostream>

#include "tools/analysis/summary.h"
#include "tools/analysis/wording.h"
#include "tools/text/report.h"
#include "tools/trace/report_findings.h"

namespace gilscope {

// The context that every section is printed with.
struct Page {
  std::ostream& out;
  const TextOptions& options;
  const Summary& summary;
  const Wording& wording;
  const ReportFindings& trace;

  // Hides sequential cells beside threaded ones unless --per asks for them: side by side they would
  // hide what differs.
  bool shows(const CellSummary& cell) const;
  const CellSummary* summary_of(const Cell& cell) const;

  // A number made of a time: "emulated" on emulated CPUs.
  Number time(Number number) const { return summary.times.of(std::move(number)); }
  std::string bold(const std::string& text) const {
    return options.color ? "\033[1m" + text + "\033[0m" : text;
  }
  void title(const std::string& name, const std::string& explanation) const;
  // Breaks lines between words, and indents all lines but the first.
  void paragraph(const std::string& text, size_t indent = 0) const;
};

// Losses, steal, runs left out by limits, changes of the environment, and failures.
void print_disturbances(const Page& page, const Report& report);
void print_slowdown_table(const Page& page);
// Rates and latencies, where a workload has them.
void print_work_table(const Page& page);
void print_block_table(const Page& page);
void print_cpu_tables(const Page& page);
void print_thread_table(const Page& page);
// The distributions: wake-to-run, waits after a preemption, lengths of segments.
void print_cpu_waits(const Page& page);
void print_thread_waits(const Page& page);
// The counts of perf events, where the experiment asked for them.
void print_perf_table(const Page& page);
// The cost of tracing, from traced and untraced runs and by the kernel's own clock.
void print_tracer_table(const Page& page);

}  // namespace gilscope
