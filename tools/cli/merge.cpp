// `gilscope merge`: gathers copies of reports in one directory, each report once. Runs of different
// reports are never combined: each report stays as its machine wrote it.
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <set>

#include "tools/analysis/wording.h"
#include "tools/cli/tools.h"
#include "tools/merge/merged_directory.h"
#include "userspace/base/command.h"
#include "userspace/base/output.h"
#include "userspace/base/quote.h"
#include "userspace/base/uuid.h"

namespace gilscope {
namespace {

namespace fs = std::filesystem;

struct MergeOptions {
  std::vector<std::string> inputs;
  std::string output;
};

std::string without_slashes(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

Status refuse_no_directory(const std::string& input) {
  struct stat status {};
  if (::stat(input.c_str(), &status) != 0) return fail_errno("cannot read " + in_quotes(input));
  if (S_ISDIR(status.st_mode)) return {};
  return fail(
      fmt::format("{} is not a directory: name the directory that holds report.json and the "
                  "report's other files (a page has only a copy of its report)",
                  in_quotes(input)));
}

// Inputs are never changed, so the output must not lie in one. A merged directory, or a report in
// it, may be named as input again: it stays as it is.
Status refuse_nested(const std::string& input, const std::string& output) {
  std::error_code error;
  const fs::path from = fs::canonical(input, error);
  if (error) return fail(fmt::format("cannot read {}: {}", in_quotes(input), error.message()));
  const fs::path to = fs::weakly_canonical(output, error);
  if (error) return fail(fmt::format("cannot write {}: {}", in_quotes(output), error.message()));
  const fs::path down = to.lexically_relative(from), up = from.lexically_relative(to);
  if (from == to) return {};
  if (!down.empty() && *down.begin() != "..") {
    return fail(fmt::format("the output {} lies in the input {}: give -o a directory elsewhere",
                            in_quotes(output), in_quotes(input)));
  }
  if (!up.empty() && *up.begin() != ".." && !is_uuid(up.string())) {
    return fail(fmt::format("the input {} lies in the output {}: give -o a directory elsewhere",
                            in_quotes(input), in_quotes(output)));
  }
  return {};
}

// Inspects every report of an input; those in `known` lie in the output and have been inspected.
Status take_input(const std::string& input, const std::set<std::string>& known,
                  std::vector<ReportCopy>& copies) {
  std::vector<std::string> links;
  const auto found = find_reports(input, links);
  if (!found) return fail(found.error());
  for (const std::string& link : links) {
    write_message(
        fmt::format("gilscope: {} is a symbolic link and was not followed; name it to include "
                    "its target\n",
                    in_quotes(link)));
  }
  if (found->empty()) {
    return fail(Exit::no_data, fmt::format("no report in {}", in_quotes(input)));
  }
  for (const std::string& directory : *found) {
    std::error_code error;
    if (known.contains(fs::canonical(directory, error).string())) continue;
    auto copy = inspect_copy(directory);
    if (!copy) return fail(copy.error());
    copies.push_back(std::move(*copy));
  }
  return {};
}

struct Tally {
  size_t reports = 0, runs = 0, there = 0, updated = 0, boxless = 0;
  std::set<std::string> machines;
  std::vector<std::string> missing;

  void count(const Reconciled& report) {
    reports += 1;
    runs += report.latest->state.runs;
    if (report.latest->machine.empty()) {
      boxless += 1;
    } else {
      machines.insert(report.latest->machine);
    }
    for (const std::string& name : report.missing) {
      missing.push_back(report.latest->path + "/" + name);
    }
  }

  // "all: 12 reports of 3 machines, 240 runs; 5 already there, 1 of them less complete"
  std::string line(const std::string& output) const {
    std::string line =
        fmt::format("{}: {} of {}", printable(output), Wording::number_of(reports, "report"),
                    Wording::number_of(machines.size(), "machine"));
    if (boxless) line += fmt::format(" ({} without a machine's name)", boxless);
    line += fmt::format(", {}; {} already there", Wording::number_of(runs, "run"), there);
    if (updated) line += fmt::format(", {} of them less complete", updated);
    return line + "\n";
  }
};

bool complete(const ReportCopy& mine, const Reconciled& report) {
  return mine.digest == report.latest->digest &&
         std::ranges::all_of(report.files, [&](const auto& file) { return file.second == &mine; });
}

Status write(MergedDirectory& output, const std::vector<Reconciled>& reports, Tally& tally) {
  std::map<std::string, const ReportCopy*> there;
  for (const ReportCopy& copy : output.copies()) there.emplace(copy.id, &copy);
  for (const Reconciled& report : reports) {
    tally.count(report);
    const auto mine = there.find(report.latest->id);
    if (mine == there.end()) {
      if (Status s = output.add(report); !s) return s;
      continue;
    }
    tally.there += 1;
    if (complete(*mine->second, report)) continue;
    tally.updated += 1;
    if (Status s = output.update(*mine->second, report); !s) return s;
  }
  return {};
}

// Inspects all inputs before it writes anything.
Status merge(const MergeOptions& options) {
  const std::string path = without_slashes(options.output);
  if (path.empty()) return fail("-o names no directory");
  if (options.output == "-") {
    return fail("-o takes a directory, not standard output; './-' is a directory of that name");
  }
  for (const std::string& input : options.inputs) {
    if (Status s = refuse_no_directory(input); !s) return s;
    if (Status s = refuse_nested(input, path); !s) return s;
  }
  auto output = MergedDirectory::open(path);
  if (!output) return fail(output.error());

  std::set<std::string> known;
  std::error_code error;
  for (const ReportCopy& copy : output->copies()) {
    known.insert(fs::canonical(copy.path, error).string());
  }
  std::vector<ReportCopy> copies;
  for (const std::string& input : options.inputs) {
    if (Status s = take_input(without_slashes(input), known, copies); !s) return s;
  }

  // The output's own copies come first, so that they win over equal ones.
  std::map<std::string, std::vector<const ReportCopy*>> by_id;
  for (const ReportCopy& copy : output->copies()) by_id[copy.id].push_back(&copy);
  for (const ReportCopy& copy : copies) by_id[copy.id].push_back(&copy);
  std::vector<Reconciled> reports;
  for (const auto& [id, of_one] : by_id) {
    auto reconciled = reconcile(of_one);
    if (!reconciled) return fail(reconciled.error());
    reports.push_back(std::move(*reconciled));
  }

  Tally tally;
  if (Status s = write(*output, reports, tally); !s) return s;
  if (!tally.missing.empty()) {
    write_message(
        fmt::format("gilscope: {} that reports name {} missing from every copy, the first {}\n",
                    Wording::number_of(tally.missing.size(), "file"),
                    tally.missing.size() == 1 ? "is" : "are", in_quotes(tally.missing.front())));
  }
  return write_output(tally.line(path));
}

}  // namespace

void add_merge(CLI::App& app, Exit& exit) {
  auto options = std::make_shared<MergeOptions>();
  Command command(app, "merge", "gather reports from many directories in one, each report once");
  command.option("DIR", options->inputs, "directory with reports in or below it").required();
  command.option("-o", options->output, "directory to fill; may be one that merge made before")
      .value_kind("DIR")
      .required();
  command.on_run([options, &exit] { exit = exit_of(merge(*options)); });
}

}  // namespace gilscope
