// Reports to compare: the sample report with seeded noise, slower by a chosen factor.
#pragma once

#include <cmath>
#include <random>

#include "tests/unit/command.h"
#include "tests/unit/sample_report.h"
#include "tests/unit/temporary_directory.h"
#include "tools/cli/tools.h"
#include "tools/compare/comparison.h"
#include "tools/compare/reports.h"
#include "userspace/report/json.h"

namespace gilscope::sample {

struct Comparable {
  uint64_t seed = 1;
  double times = 1;  // how many times as long as the sample's runs
  double noise = 0.003;
  int blocks = 8;
  std::string kernel = "6.18.4";
  std::string host = "alpha";
  std::string boot = "11111111-1111-1111-1111-111111111111";
};

inline Report comparable(const Comparable& wanted = {}) {
  std::mt19937_64 random(wanted.seed);
  std::normal_distribution<double> normal;
  Report report = sample::report(wanted.blocks, 1);
  report.id = fmt::format("{:08x}-0b5d-4b8e-9c55-0d5a7c1f2e3b", wanted.seed);
  const auto set = [&](const std::string& key, const std::string& value) {
    std::erase_if(report.environment, [&](const Fact& fact) { return fact.key == key; });
    report.environment.push_back({key, value, ""});
  };
  // One policy suffices.
  std::erase_if(report.cells, [](const Cell& cell) { return cell.policy != "check-interval:100"; });
  set("kernel.release", wanted.kernel);
  set("host.name", wanted.host);
  set("host.boot_id", wanted.boot);
  for (Cell& cell : report.cells) {
    for (gilscope::Run& run : cell.runs) {
      const double times = wanted.times * std::exp(wanted.noise * normal(random));
      run.wall_ns = uint64_t(double(run.wall_ns) * times);
      if (run.window_ns) run.window_ns = run.wall_ns;
      // Data that compare ignores would only cost parsing time.
      run.threads.clear();
      for (CpuTrace& cpu : run.cpus) cpu.histograms = {};
      run.segments_file.clear();
      run.samples_file.clear();
      run.segment_records = 0;
    }
  }
  return report;
}

inline Outcome compare(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "compare");
  return run_command(add_compare, std::move(arguments));
}

// Writes DIR/NAME/report.json and returns the directory's path.
inline std::string put(const TemporaryDirectory& directory, const std::string& name,
                       const Report& report) {
  directory.write(name + "/report.json", to_json(report));
  return directory / name;
}

// The comparison itself, without the command.
inline Comparison compared(const std::vector<std::string>& arguments, const std::string& by = "",
                           ComparisonOptions options = {}) {
  options.sides.by = by;
  auto reports = read_reports(arguments);
  auto comparison = reports ? gilscope::compare(std::move(*reports), options)
                            : Result<Comparison>(fail(reports.error()));
  if (comparison) return std::move(*comparison);
  ADD_FAILURE() << comparison.error().message;
  return {};
}

inline const MetricResult& metric(const Comparison& comparison, const std::string& cell,
                                  const std::string& name) {
  for (const CellResult& of_cell : comparison.results.at(0).cells) {
    if (of_cell.name != cell) continue;
    for (const MetricResult& result : of_cell.metrics) {
      if (metrics()[result.metric].name == name) return result;
    }
  }
  ADD_FAILURE() << "no " << name << " in " << cell;
  static const MetricResult none;
  return none;
}

}  // namespace gilscope::sample
