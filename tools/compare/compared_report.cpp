#include "tools/compare/compared_report.h"

#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <sstream>

#include "tools/analysis/environment_changes.h"
#include "tools/analysis/fact_text.h"
#include "tools/analysis/summary.h"
#include "tools/merge/report_copy.h"
#include "tools/trace/report_findings.h"
#include "userspace/base/digest.h"
#include "userspace/base/output.h"
#include "userspace/base/quote.h"
#include "userspace/report/json.h"
#include "userspace/report/report_file.h"

namespace gilscope {
namespace {

const Fact* find(const Facts& facts, const std::string& key) {
  for (const Fact& fact : facts) {
    if (fact.key == key) return &fact;
  }
  return nullptr;
}

std::string fact_of(const Facts& facts, const std::string& key) {
  const Fact* fact = find(facts, key);
  return fact ? full_text_of(*fact) : "unknown";
}

std::map<std::string, std::string> keys_of(const Report& report) {
  std::map<std::string, std::string> keys;
  keys["gilscope"] = printable(report.gilscope);
  keys["id"] = printable(report.id);
  keys["status"] = printable(report.status);
  const auto add = [&](const std::string& prefix, const Facts& facts) {
    for (const Fact& fact : facts) keys[prefix + printable(fact.key)] = full_text_of(fact);
  };
  add("environment.", report.environment);
  add("environment.before.", report.environment_before);
  // A setting that changed during the experiment has two values.
  for (const EnvironmentChange& change : environment_changes(report)) {
    if (change.matters)
      keys["environment.before." + printable(change.key)] += " then " + change.after;
  }
  add("capabilities.", report.capabilities);
  return keys;
}

std::map<std::string, std::string> keys_of(const Cell& cell) {
  return {{"policy", printable(cell.policy)},
          {"workload", printable(cell.workload)},
          {"arrangement", printable(cell.arrangement)},
          {"threads", std::to_string(cell.threads)},
          {"cpus", printable(cell.cpus)},
          {"cpus_by", printable(cell.cpus_by)},
          {"cpu_order", printable(cell.cpu_order)},
          {"main_exit", printable(cell.main_exit)}};
}

std::set<std::string> decimals_of(const Report& report) {
  std::set<std::string> keys;
  const auto add = [&](const std::string& prefix, const Facts& facts) {
    for (const Fact& fact : facts) {
      if (std::holds_alternative<double>(fact.value)) keys.insert(prefix + printable(fact.key));
    }
  };
  add("environment.", report.environment);
  add("environment.before.", report.environment_before);
  add("capabilities.", report.capabilities);
  return keys;
}

// Taken from the spec and from the runs that are there: a cell without any run was planned like the
// others.
PlannedRuns planned_runs(const Report& report, const SpecSettings& settings) {
  PlannedRuns planned;
  planned.blocks = size_t(std::max(report.blocks_planned, 0));
  for (const Cell& cell : report.cells) {
    for (const Run& run : cell.runs) (run.traced() ? planned.traced : planned.untraced) = true;
  }
  const auto is = [&](const char* setting, const char* value) {
    const auto found = settings.values.find(setting);
    return found != settings.values.end() && found->second == value;
  };
  // A real program runs once, traced.
  const bool real =
      std::ranges::any_of(report.cells, [](const Cell& cell) { return cell.subject.has_value(); });
  if (!real && (is("trace", "off") || is("untraced", "true"))) planned.untraced = true;
  if (!is("trace", "off")) planned.traced = true;
  return planned;
}

size_t blocks_begun(const Report& report) {
  std::set<int> blocks;
  for (const Cell& cell : report.cells) {
    for (const Run& run : cell.runs) {
      if (!run.warmup) blocks.insert(run.block);
    }
  }
  return blocks.size();
}

// "2x" where the spec asked for two threads a CPU: unlike the number, it is the same on every CPU
// count.
std::string threads_of(const Cell& cell, const SpecSettings& settings) {
  const std::string number = std::to_string(cell.threads);
  const auto found = settings.values.find("threads");
  if (found == settings.values.end()) return number;
  std::string of_cpus = number;
  std::istringstream list(found->second);
  for (std::string text; std::getline(list >> std::ws, text, ',');) {
    if (text == number) return number;
    int each = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), each);
    if (error != std::errc() || std::string_view(end, text.data() + text.size()) != "x") continue;
    if (each * int(cell.cpu_list.size()) == cell.threads) of_cpus = text;
  }
  return of_cpus;
}

// A real program has as many threads as were seen, and another PID each time. Of several processes
// of one program the first is compared with the first, the second with the second.
void tell_apart(std::map<std::string, std::string>& keys,
                std::map<std::map<std::string, std::string>, size_t>& processes) {
  keys["threads"] = "all";
  const size_t nth = ++processes[keys];
  if (nth > 1) keys["workload"] += fmt::format(" (process {})", nth);
}

const Cell* sequential_of(const Report& report, const Cell& cell) {
  if (cell.arrangement != "threaded") return nullptr;
  auto keys = keys_of(cell);
  keys["arrangement"] = "sequential";
  for (const Cell& other : report.cells) {
    if (other.arrangement == "sequential" && keys_of(other) == keys) return &other;
  }
  return nullptr;
}

void add_cpus(const Run& run, std::vector<CpuValue>& cpus) {
  const double ns = double(run.window_ns.value_or(run.wall_ns));
  if (ns <= 0) return;
  for (const CpuTrace& cpu : run.cpus) {
    const double per_s = 1e9 / ns;
    cpus.push_back({cpu.cpu,
                    {double(cpu.on_cpu_ns) / ns, double(cpu.wakeups.ran) * per_s,
                     double(cpu.migrations.wakeup + cpu.migrations.preempt) * per_s,
                     double(cpu.failed.contended) * per_s, double(cpu.failed.woken_lost) * per_s,
                     double(cpu.failed.timed_out) * per_s}});
  }
}

void add_disturbances(const Run& run, size_t cpus, ComparedCell& cell) {
  ++cell.runs;
  if (run.disturbed()) ++cell.disturbed;
  for (const Disturbance& result : run.disturbances) {
    if (result.value) ++cell.disturbances[printable(result.kind)];
  }
  cell.stolen.add(run, cpus);
  double foreign = 0;
  size_t observed = 0;
  for (const CpuTrace& cpu : run.cpus) {
    if (!cpu.foreign_ns) continue;
    ++observed;
    foreign += double(*cpu.foreign_ns);
  }
  if (observed > 0 && run.window_ns.value_or(0) > 0) {
    cell.foreign.push_back(foreign / double(*run.window_ns) / double(observed));
  }
}

bool names_segments(const Report& report) {
  for (const Cell& cell : report.cells) {
    for (const Run& run : cell.runs) {
      if (!run.segments_file.empty()) return true;
    }
  }
  return false;
}

Result<ComparedReport> read_one(const std::string& path, size_t index) {
  const auto text = read_report_text(path);
  if (!text) return fail(text.error());
  const auto report = from_json(*text, printable(path));
  if (!report) return fail(report.error());
  ReportFindings trace;
  if (names_segments(*report)) {
    auto found = report_findings(path, *report);
    if (!found) return fail(found.error());
    trace = std::move(*found);
  }
  auto compared = compared_report(*report, printable(path), trace);
  if (!compared) return fail(compared.error());
  compared->argument = index;
  compared->digest = sha256(*text);
  return compared;
}

bool exists(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0;
}

bool is_directory(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

}  // namespace

Result<ComparedReport> compared_report(const Report& report, const std::string& origin,
                                       const ReportFindings& trace) {
  ComparedReport result;
  result.origin = origin;
  result.id = printable(report.id);
  result.status = report.status;
  result.machine = fact_of(report.environment, "host.name");
  result.boot = fact_of(report.environment, "host.boot_id");
  result.emulated = fact_of(report.environment, "virtualization.emulated") == "yes";
  result.keys = keys_of(report);
  auto settings = spec_settings(report, origin);
  if (!settings) return fail(settings.error());
  result.settings = std::move(*settings);
  result.decimals = decimals_of(report);
  const PlannedRuns planned = planned_runs(report, result.settings);
  result.blocks_planned = planned.blocks;
  result.blocks_begun = blocks_begun(report);
  std::map<std::map<std::string, std::string>, size_t> processes;
  for (const Cell& cell : report.cells) {
    ComparedCell& kept = result.cells.emplace_back();
    kept.keys = keys_of(cell);
    kept.keys["threads"] = threads_of(cell, result.settings);
    kept.of_subject = cell.subject.has_value();
    if (kept.of_subject) tell_apart(kept.keys, processes);
    kept.cpu_count = cell.cpu_list.size();
    kept.tally = tally_of(cell, planned);
    kept.values = metric_values(cell, sequential_of(report, cell), trace.of(report, cell));
    for (const Run& run : cell.runs) {
      if (run.status != "done" || run.warmup) continue;
      add_disturbances(run, cell.cpu_list.size(), kept);
      if (measured(run)) add_cpus(run, kept.cpus);
    }
  }
  return result;
}

Result<std::vector<ComparedReport>> read_compared(const std::string& argument, size_t index) {
  std::vector<std::string> paths{argument};
  if (is_directory(argument) && !exists(argument + "/report.json")) {
    std::vector<std::string> links;
    auto found = find_reports(argument, links);
    if (!found) return fail(found.error());
    for (const std::string& link : links) {
      write_message(
          fmt::format("gilscope: {} is a symbolic link and was not followed; name it to "
                      "compare what it leads to\n",
                      in_quotes(link)));
    }
    if (found->empty()) {
      return fail(Exit::no_data, fmt::format("no report in {}: name a report.json, or a directory "
                                             "that holds reports",
                                             in_quotes(argument)));
    }
    paths = std::move(*found);
  }
  std::vector<ComparedReport> reports;
  for (const std::string& path : paths) {
    auto report = read_one(path, index);
    if (!report) return fail(report.error());
    reports.push_back(std::move(*report));
  }
  return reports;
}

const std::vector<std::string>& cell_keys() {
  static const std::vector<std::string> keys{"policy", "workload", "arrangement", "threads",
                                             "cpus",   "cpus_by",  "cpu_order",   "main_exit"};
  return keys;
}

}  // namespace gilscope
