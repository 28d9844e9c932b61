// `gilscope validate`: checks a report against its schema, and its counters against each other.
#include <memory>

#include "tools/cli/tools.h"
#include "userspace/base/command.h"
#include "userspace/base/output.h"
#include "userspace/base/quote.h"
#include "userspace/report/invariants.h"
#include "userspace/report/json.h"
#include "userspace/report/report_file.h"

namespace gilscope {
namespace {

Result<Exit> validate(const std::string& path) {
  const std::string origin = printable(path);
  const Result<std::string> text = read_report_text(path);
  if (!text) return fail(text.error());
  const auto violations = schema_violations(*text, origin);
  if (!violations) return fail(violations.error());
  std::vector<std::string> lines = *violations;
  size_t cells = 0, runs = 0;
  int minor = 0;
  // A report that breaks the schema cannot be parsed, so its sums cannot be checked.
  if (lines.empty()) {
    const Result<Report> report = from_json(*text, origin);
    if (!report) return fail(report.error());
    lines = broken_invariants(*report);
    cells = report->cells.size();
    for (const Cell& cell : report->cells) runs += cell.runs.size();
    minor = report->minor;
  }
  if (!lines.empty()) {
    for (const std::string& line : lines) write_message(origin + ": " + line + "\n");
    return Exit::check_failed;
  }
  const Status printed = write_output(
      fmt::format("{}: valid gilscope report (schema {}.{}, {} cell{}, {} run{})\n", origin,
                  kReportMajor, minor, cells, cells == 1 ? "" : "s", runs, runs == 1 ? "" : "s"));
  if (!printed) return fail(printed.error());
  return Exit::done;
}

}  // namespace

void add_validate(CLI::App& app, Exit& exit) {
  auto path = std::make_shared<std::string>();
  Command command(app, "validate", "check a report against its schema and its own sums");
  command.option("REPORT", *path, "report.json, or the directory that holds it").required();
  command.on_run([path, &exit] { exit = exit_of(validate(*path)); });
}

}  // namespace gilscope
