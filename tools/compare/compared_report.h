// The part of a report that compare keeps: its keys, and one number for each block and metric. A
// thousand of these take a few tens of megabytes.
#pragma once

#include <array>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "tools/analysis/steal.h"
#include "tools/compare/metrics.h"
#include "tools/compare/run_tally.h"
#include "tools/compare/spec_settings.h"
#include "tools/trace/report_findings.h"
#include "userspace/base/result.h"

namespace gilscope {

// A CPU's numbers in one block, for looking at; no verdict is made of them.
struct CpuValue {
  int cpu = 0;
  // on_cpu_share, wakeups_per_s, migrations_per_s, failed_per_s of each kind
  std::array<double, 6> values{};
};
inline constexpr std::array<const char*, 6> kCpuMetrics{"on CPU",    "wakeups",     "migrations",
                                                        "contended", "woken, lost", "timed out"};

struct ComparedCell {
  std::map<std::string, std::string> keys;  // policy, workload, arrangement, threads, cpus ...
  bool of_subject = false;                  // of a real program
  size_t cpu_count = 0;  // the number of its CPUs, whatever the key calls them; 0: unknown
  MetricValues values;
  std::vector<CpuValue> cpus;
  CellRuns tally;                              // how the planned runs ended
  size_t runs = 0;                             // measured and finished, within limits or not
  size_t disturbed = 0;                        // those that limits have left out
  std::map<std::string, size_t> disturbances;  // by limit; a run may hit several
  std::vector<double> foreign;                 // shares of these runs' CPU time, where known
  StealTotal stolen;
};

struct ComparedReport {
  std::string origin;  // the argument that named it, printable
  size_t argument = 0;
  std::string id, digest, machine, boot;
  std::string status;
  size_t blocks_planned = 0;  // without warm-up
  size_t blocks_begun = 0;    // those that have a run
  bool emulated = false;
  std::map<std::string, std::string> keys;  // gilscope, environment.kernel.release ...
  std::set<std::string> decimals;           // the keys whose values are decimals
  SpecSettings settings;
  std::vector<ComparedCell> cells;
};

// The caller sets `argument` and `digest`. `trace` holds the findings from the report's segments.
Result<ComparedReport> compared_report(const Report& report, const std::string& origin,
                                       const ReportFindings& trace = {});

// `argument` is a report.json, a page, a directory that holds a report, or one that holds reports
// further down (`gilscope merge` makes such). Fails with Exit::no_data where there is none.
Result<std::vector<ComparedReport>> read_compared(const std::string& argument, size_t index);

// The keys that a cell's name is made of, in their order.
const std::vector<std::string>& cell_keys();

}  // namespace gilscope
