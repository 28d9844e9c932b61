// gilscope show: the report in one screen, its tables, or its derived numbers as JSON.
#include <iostream>
#include <map>
#include <memory>

#include "tools/cli/tools.h"
#include "tools/json/summary_json.h"
#include "tools/text/report.h"
#include "userspace/base/command.h"
#include "userspace/base/output.h"
#include "userspace/base/quote.h"
#include "userspace/report/json.h"

namespace gilscope {
namespace {

struct ShowOptions {
  std::string report;
  bool json = false, all = false;
  std::string per;
};

const std::map<std::string, Per> kPer{
    {"core", Per::cpu}, {"thread", Per::thread}, {"block", Per::block}};

bool has_finished_run(const Report& report) {
  for (const Cell& cell : report.cells) {
    for (const Run& run : cell.runs) {
      if (run.status == "done") return true;
    }
  }
  return false;
}

Status print(const Report& report, const ReportFindings& trace, bool json,
             const TextOptions& text) {
  if (!has_finished_run(report)) {
    return fail(Exit::no_data, "no run has finished, there is nothing to show");
  }
  if (json) {
    std::cout << summary_json(report, trace);
  } else {
    print_text_report(std::cout, report, text, trace);
  }
  return flush_output();
}

Status show(const ShowOptions& options) {
  const Result<Report> report = read_report(options.report);
  if (!report) return fail(report.error());
  TextOptions text = text_options_for_stdout();
  if (!options.per.empty()) text.per = kPer.at(options.per);
  text.all = options.all;
  text.report = options.report;
  const auto trace = report_findings(options.report, *report);
  if (!trace) return fail(trace.error());
  const Status printed = print(*report, *trace, options.json, text);
  if (!printed && printed.error().code == Exit::no_data) {
    return fail(Exit::no_data, printable(options.report) + ": " + printed.error().message);
  }
  return printed;
}

}  // namespace

Status print_report(const Report& report, const std::string& directory, const std::string& kept_as,
                    bool all) {
  ReportFindings trace;
  if (!directory.empty()) {
    auto found = report_findings(directory, report);
    if (!found) return fail(found.error());
    trace = std::move(*found);
  }
  TextOptions text = text_options_for_stdout();
  text.all = all;
  text.report = kept_as;
  return print(report, trace, false, text);
}

void add_show(CLI::App& app, Exit& exit) {
  auto options = std::make_shared<ShowOptions>();
  Command command(app, "show", "print a report: one screen, or every table");
  command.option("REPORT", options->report, "a report.json, or the directory that holds it")
      .required();
  const Option json = command.flag("--json", options->json, "the derived numbers, for scripts");
  const Option all =
      command.flag("--all", options->all, "every table, and not only one screen").excludes(json);
  command.option("--per", options->per, "only the tables per CPU, thread or block")
      .one_of({"core", "thread", "block"})
      .excludes(json)
      .excludes(all);
  command.on_run([options, &exit] { exit = exit_of(show(*options)); });
}

}  // namespace gilscope
