// The tables of the text report.
#pragma once

#include <ostream>

#include "tools/summary.h"
#include "tools/text_report.h"
#include "tools/trace/report_findings.h"
#include "tools/wording.h"

namespace gilscope {

// What every section is printed with.
struct Page {
  std::ostream& out;
  const TextOptions& options;
  const Summary& summary;
  const Wording& wording;
  const ReportFindings& trace;

  // Sequential cells only where nothing runs threaded, or with --per: side by side they would hide
  // what differs.
  bool shows(const CellSummary& cell) const;
  const CellSummary* summary_of(const Cell& cell) const;

  // What is made of a time.
  Number time(Number number) const { return summary.times.of(std::move(number)); }
  std::string bold(const std::string& text) const {
    return options.color ? "\033[1m" + text + "\033[0m" : text;
  }
  void title(const std::string& name, const std::string& explanation) const;
  // Breaks lines between words, and indents all but the first.
  void paragraph(const std::string& text, size_t indent = 0) const;
};

// What was lost, stolen, left out by gates, changed on the way, and failed.
void print_disturbances(const Page& page, const Report& report);
void print_slowdown_table(const Page& page);
// Rates and latencies, where a workload has them.
void print_work_table(const Page& page);
void print_block_table(const Page& page);
void print_core_tables(const Page& page);
void print_thread_table(const Page& page);
// The distributions: wake-to-run, waits after a preemption, lengths of segments.
void print_core_waits(const Page& page);
void print_thread_waits(const Page& page);
// What perf events counted, where that was asked for.
void print_perf_table(const Page& page);
// What tracing cost, by twins of runs and by the kernel's own clock.
void print_tracer_table(const Page& page);

}  // namespace gilscope
