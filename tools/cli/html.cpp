// gilscope html: a report, or a comparison of several, as one page that needs nothing else.
#include <sys/stat.h>

#include <memory>

#include "tools/cli/compare_options.h"
#include "tools/cli/tools.h"
#include "tools/compare/reports.h"
#include "tools/html/comparison_page.h"
#include "tools/html/page.h"
#include "userspace/base/command.h"
#include "userspace/base/output.h"
#include "userspace/base/output_file.h"
#include "userspace/base/quote.h"
#include "userspace/report/json.h"
#include "userspace/report/report_file.h"

namespace gilscope {
namespace {

struct HtmlOptions {
  std::vector<std::string> reports;
  ComparisonOptions comparison;
  std::string out;
};

bool has_finished_run(const Report& report) {
  for (const Cell& cell : report.cells) {
    for (const Run& run : cell.runs) {
      if (run.status == "done") return true;
    }
  }
  return false;
}

// A directory that was left behind is said to be missing on the page; a hole in it is no such
// thing.
Status all_or_none(const TraceDirectory& directory, const Report& report) {
  bool any = false;
  std::string missing;
  for (const Cell& cell : report.cells) {
    for (const Run& run : cell.runs) {
      if (run.segments_file.empty()) continue;
      if (directory.has(run.segments_file)) {
        any = true;
      } else if (missing.empty()) {
        missing = run.segments_file;
      }
    }
  }
  if (!any || missing.empty()) return {};
  return fail(
      Exit::no_data,
      fmt::format("{} is missing, and others of the report's segments are there: copy all of "
                  "them, or none",
                  in_quotes(directory.path() + "/" + missing)));
}

Result<PageTrace> read_trace(const std::string& path, const Report& report) {
  const auto directory = TraceDirectory::of(path);
  if (!directory) return fail(directory.error());
  if (Status s = all_or_none(*directory, report); !s) return fail(s.error());
  PageTrace trace;
  auto findings = report_findings(path, report);
  if (!findings) return fail(findings.error());
  trace.findings = std::move(*findings);
  trace.windows.resize(report.cells.size());
  size_t shown = 0;
  for (const bool first : {true, false}) {
    for (size_t i = 0; i < report.cells.size() && shown < kMaxTimelineCells; ++i) {
      if (comes_first(report.cells[i]) != first) continue;
      auto windows = cell_windows(*directory, report, report.cells[i]);
      if (!windows) return fail(windows.error());
      trace.windows[i] = std::move(*windows);
      shown += trace.windows[i].first ? 1 : 0;
    }
  }
  return trace;
}

Result<std::string> page_of_one(const std::string& path) {
  const Result<std::string> text = read_report_text(path);
  if (!text) return fail(text.error());
  const Result<Report> report = from_json(*text, printable(path));
  if (!report) return fail(report.error());
  if (!has_finished_run(*report)) {
    return fail(Exit::no_data, printable(path) + ": no run has finished, there is nothing to show");
  }
  const Result<PageTrace> trace = read_trace(path, *report);
  if (!trace) return fail(trace.error());
  return html_page(*report, *text, *trace);
}

Result<std::string> page_of_several(const HtmlOptions& options) {
  auto reports = read_reports(options.reports);
  if (!reports) return fail(reports.error());
  const auto comparison = compare(std::move(*reports), options.comparison);
  if (!comparison) return fail(comparison.error());
  return comparison_page(*comparison);
}

// A page may be made anew in its own place; what an experiment wrote is not to be replaced by one.
Status refuse_own_report(const OutputFile& output, const std::string& path) {
  for (const std::string& name : {path, path + "/report.json"}) {
    struct stat report {};
    if (::stat(name.c_str(), &report) != 0 || !output.is(report)) continue;
    if (!output.is_standard_output() && is_page_file(name)) continue;
    return fail(fmt::format("{} is a report that the page is made of; name another file with -o",
                            output.shown()));
  }
  return {};
}

Status html(const HtmlOptions& options) {
  const bool one = options.reports.size() == 1 && options.comparison.sides.by.empty();
  auto file = OutputFile::open(options.out);
  if (!file) return fail(file.error());
  for (const std::string& path : options.reports) {
    if (Status s = refuse_own_report(*file, path); !s) return s;
  }
  const auto page = one ? page_of_one(options.reports.front()) : page_of_several(options);
  if (!page) return fail(page.error());
  if (Status s = file->write(*page); !s) return s;
  return file->finish();
}

}  // namespace

void add_html(CLI::App& app, Exit& exit) {
  auto options = std::make_shared<HtmlOptions>();
  Command command(app, "html",
                  "make a page of a report, or of a comparison: one file that opens offline");
  command
      .option("REPORT", options->reports,
              "a report.json, the directory that holds it, or a page; several are compared")
      .required();
  add_sides(command, options->comparison);
  command.option("-o", options->out, "the page to write; - is standard output")
      .value_kind("FILE")
      .required();
  command.on_run([options, &exit] { exit = exit_of(html(*options)); });
}

}  // namespace gilscope
