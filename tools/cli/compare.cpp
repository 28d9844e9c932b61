// gilscope compare: whether reports differ, and by how much.
#include <iostream>
#include <map>
#include <memory>

#include "tools/cli/compare_options.h"
#include "tools/cli/tools.h"
#include "tools/compare/reports.h"
#include "tools/json/comparison_json.h"
#include "tools/text/comparison.h"
#include "tools/text/comparison_rows.h"
#include "userspace/base/command.h"
#include "userspace/base/output.h"

namespace gilscope {
namespace {

enum class Format { text, md, csv, json };

const std::map<std::string, Format> kFormats{
    {"text", Format::text}, {"md", Format::md}, {"csv", Format::csv}, {"json", Format::json}};

struct CompareOptions {
  std::vector<std::string> reports;
  ComparisonOptions comparison;
  std::string format = "text", undecided = "yes", missing = "no";
  bool all = false;
};

Result<Exit> print(const CompareOptions& options) {
  ComparisonOptions wanted = options.comparison;
  wanted.undecided_passes = options.undecided == "yes";
  wanted.missing_passes = options.missing == "yes";
  auto reports = read_reports(options.reports);
  if (!reports) return fail(reports.error());
  const auto comparison = compare(std::move(*reports), wanted);
  if (!comparison) return fail(comparison.error());
  switch (kFormats.at(options.format)) {
    case Format::text:
      print_comparison(std::cout, *comparison, text_options_for_stdout(), options.all);
      break;
    case Format::md:
      std::cout << comparison_markdown(*comparison);
      break;
    case Format::csv:
      std::cout << comparison_csv(*comparison);
      break;
    case Format::json:
      std::cout << comparison_json(*comparison);
      break;
  }
  if (Status printed = flush_output(); !printed) return fail(printed.error());
  return comparison->exit();
}

}  // namespace

void add_compare(CLI::App& app, Exit& exit) {
  auto options = std::make_shared<CompareOptions>();
  Command command(app, "compare", "say whether reports differ, by how much, and how sure that is");
  command
      .option("REPORT", options->reports,
              "reports, or directories that hold reports: the first is the baseline, unless "
              "--by names a key")
      .required();
  add_sides(command, options->comparison);
  command.flag("--all", options->all, "every number, and not only what fits a screen (text)");
  command.option("--format", options->format, "text, md, csv or json")
      .one_of({"text", "md", "csv", "json"});
  command
      .option("--allow-undecided", options->undecided,
              "whether an undecided primary metric passes (yes), or ends with exit code 1 (no)")
      .one_of({"yes", "no"});
  command
      .option("--allow-missing", options->missing,
              "whether runs, blocks or cells that one side lacks pass (yes), or end with exit code "
              "1 (no)")
      .one_of({"yes", "no"});
  command.on_run([options, &exit] { exit = exit_of(print(*options)); });
}

}  // namespace gilscope
