// What a number becomes by its row alone. tests/scripts/test-registry compiles this with a registry
// that has one more CPU row, `one_more`.
#include <cstdio>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/unit/filled_report.h"
#include "tests/unit/sample_report.h"
#include "tools/compare/metrics.h"
#include "tools/export/rows.h"
#include "tools/json/summary_json.h"
#include "tools/text/report.h"
#include "userspace/report/json.h"
#include "userspace/report/metric_names.h"
#include "userspace/tracer/counters.h"

namespace gilscope {
namespace {

using Json = nlohmann::ordered_json;

int failures = 0;

void expect(bool holds, const char* what) {
  if (holds) return;
  ++failures;
  std::fprintf(stderr, "one more number: %s\n", what);
}

// The columns and numbers of one row, whatever its format.
class Columns : public RowWriter {
 public:
  void begin(RowKind) override { numbers.clear(); }
  void number(std::string_view column, uint64_t value) override { note(column, value); }
  void real(std::string_view, double) override {}
  void truth(std::string_view, bool) override {}
  void text(std::string_view, std::string_view) override {}
  void nothing(std::string_view column) override { note(column, {}); }
  void end() override {}

  std::map<std::string, std::optional<uint64_t>> numbers;

 private:
  void note(std::string_view column, std::optional<uint64_t> value) {
    numbers[std::string(column)] = value;
  }
};

void from_the_kernel() {
  gilscope_cpu counted = {};
  counted.occupant = GILSCOPE_IDLE;
  counted.one_more = 7;
  const int cpu = 0;
  const std::vector<CpuTrace> cpus = cpus_of({&counted, 1}, {}, {&cpu, 1});
  expect(cpus.size() == 1 && cpus[0].one_more == 7, "the model has what the programs counted");
}

Report report_with_it() {
  Report report = sample::report(6, 1);
  for (Cell& cell : report.cells) {
    for (gilscope::Run& run : cell.runs) {
      for (CpuTrace& cpu : run.cpus) cpu.one_more = 1234;
    }
  }
  return report;
}

void in_the_report(const Report& report) {
  const std::string text = to_json(report);
  Json json = Json::parse(text);
  expect(json["schema"]["minor"] == 5, "the schema's minor version is that of the row");
  Json& run = json["cells"][0]["runs"][1];
  expect(run["cores"][0]["one_more"] == 1234, "a CPU of the report has it");
  const auto back = from_json(text, "r");
  expect(back && to_json(*back) == text, "the report is read as it was written");
  expect(*from_json(to_json(filled_report()), "r") == filled_report(), "every member is read");
  run["cores"][0]["one_more"] = "many";
  const auto violations = schema_violations(json.dump(), "r");
  expect(violations && violations->size() == 1 &&
             violations->front().find("/cores/0/one_more") != std::string::npos,
         "the schema knows its type");
  run["cores"][0].erase("one_more");
  const auto older = from_json(json.dump(), "r");
  expect(older && !older->cells[0].runs[1].cpus[0].one_more, "an older report does not say");
}

void in_the_views(const Report& report) {
  std::ostringstream text;
  TextOptions options;
  options.width = 160;
  options.all = true;
  print_text_report(text, report, options, {});
  expect(text.str().find("another") != std::string::npos, "the text has its column");
  expect(text.str().find("1234") != std::string::npos, "the text has its value");
  const Json json = Json::parse(summary_json(report));
  expect(json["cells"][0]["each_core"][0]["one_more"] == 1234, "show --json has it");
}

void in_rows(const Report& report) {
  const Cell& cell = report.cells[0];
  const gilscope::Run& run = cell.runs[1];
  ExportedRun exported{};
  exported.cell = &cell;
  exported.run = &run;
  Columns columns;
  write_cpu_row(columns, exported, run.cpus[0]);
  expect(columns.numbers["one_more"] == 1234, "a CPU has its column");
  write_run_row(columns, exported, {});
  expect(columns.numbers["all_of_it"] == 1234 * run.cpus.size(), "a run's row has the sum");
}

void in_compare(const Report& report) {
  const auto& names = metric_names();
  expect(std::ranges::count(names, "one_more_per_s") == 1, "a spec may name its metric");
  const auto metric = find_metric("one_more_per_s");
  expect(metric.has_value(), "compare has its metric");
  if (!metric) return;
  expect(!metrics()[*metric].primary, "which is exploratory");
  expect(metrics().size() == names.size(), "the two lists are one");
  const MetricValues values = metric_values(report.cells[0], nullptr, nullptr);
  expect(values[*metric].size() == 6, "with a value for each block");
}

}  // namespace
}  // namespace gilscope

int main() {
  using namespace gilscope;
  const Report report = report_with_it();
  from_the_kernel();
  in_the_report(report);
  in_the_views(report);
  in_rows(report);
  in_compare(report);
  return failures ? 1 : 0;
}
