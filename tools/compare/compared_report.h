// What compare keeps of a report: its keys and one number a block and metric. A thousand reports of
// this size are a few tens of megabytes.
#pragma once

#include <array>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "tools/compare/metrics.h"
#include "tools/compare/run_tally.h"
#include "tools/compare/spec_settings.h"
#include "tools/steal.h"
#include "tools/trace/report_findings.h"
#include "userspace/util/result.h"

namespace gilscope {

// What a core did in one block; for looking at, not for verdicts.
struct CoreValue {
  int cpu = 0;
  // on_cpu_share, wakeups_per_s, migrations_per_s, failed_per_s of each kind
  std::array<double, 6> values{};
};
inline constexpr std::array<const char*, 6> kCoreMetrics{"on CPU",    "wakeups",     "migrations",
                                                         "contended", "woken, lost", "timed out"};

struct ComparedCell {
  std::map<std::string, std::string> keys;  // policy, workload, arrangement, threads, cpus ...
  size_t cpu_count = 0;  // that "all" or a set of CPUs comes to on this box; 0: unknown
  MetricValues values;
  std::vector<CoreValue> cores;
  CellRuns tally;                       // what became of the planned ones
  size_t runs = 0;                      // measured and finished, whatever gates say of them
  size_t gated = 0;                     // of these, left out
  std::map<std::string, size_t> gates;  // by which; a run may hit several
  std::vector<double> foreign;          // shares of these runs' CPU time, where known
  StealOfMany stolen;
};

struct ComparedReport {
  std::string origin;  // as it was named, printable
  size_t argument = 0;
  std::string id, digest, box, boot;
  std::string status;
  size_t blocks_planned = 0;  // measured ones
  size_t blocks_begun = 0;    // of these, with a run
  bool emulated = false;
  std::map<std::string, std::string> keys;  // gilscope, environment.kernel.release ...
  std::set<std::string> decimals;           // of these keys, those whose values are decimals
  SpecSettings settings;
  std::vector<ComparedCell> cells;
};

// What is kept of one; its argument and digest are the caller's. `trace` is what its segments tell.
Result<ComparedReport> compared_report(const Report& report, const std::string& origin,
                                       const ReportFindings& trace = {});

// `argument` is a report.json, a page, a directory that holds a report, or one that holds reports
// further down (`gilscope merge` makes such). Fails with Exit::no_data where there is none.
Result<std::vector<ComparedReport>> read_compared(const std::string& argument, size_t index);

// The keys that a cell's name is made of, in their order.
const std::vector<std::string>& cell_keys();

}  // namespace gilscope
