// `gilscope export`: writes a report and its segments for other programs.
#include <fcntl.h>
#include <sys/stat.h>

#include <climits>
#include <map>
#include <memory>

#include "tools/analysis/wording.h"
#include "tools/cli/tools.h"
#include "tools/export/perfetto.h"
#include "tools/export/row_export.h"
#include "userspace/base/command.h"
#include "userspace/base/output.h"
#include "userspace/base/quote.h"
#include "userspace/report/json.h"

namespace gilscope {
namespace {

struct ExportOptions {
  std::string report, format, output, rows;
  RunFilter filter;
};

const std::map<std::string, RowKind> kRows{{"runs", RowKind::run},
                                           {"cores", RowKind::cpu},
                                           {"threads", RowKind::thread},
                                           {"waits", RowKind::wait},
                                           {"segments", RowKind::segment}};

// Refuses to overwrite the report or a file that it names.
Status refuse_own_file(const OutputFile& output, const TraceDirectory& directory,
                       const std::string& report_path, const std::vector<ExportedRun>& runs) {
  const auto same = [&](int at, const std::string& name) {
    struct stat other {};
    return !name.empty() && ::fstatat(at, name.c_str(), &other, 0) == 0 && output.is(other);
  };
  bool own = same(directory.fd(), "report.json") || same(AT_FDCWD, report_path);
  for (const ExportedRun& exported : runs) {
    own = own || same(directory.fd(), exported.run->segments_file) ||
          same(directory.fd(), exported.run->samples_file);
  }
  if (!own) return {};
  return fail(fmt::format("{} is part of the report; name another file with -o", output.shown()));
}

// "trace.pftrace: 2 runs; 12 records dropped: the segments have holes"
std::string closing_line(const OutputFile& output, const std::vector<ExportedRun>& runs) {
  uint64_t dropped = 0;
  for (const ExportedRun& exported : runs) dropped += exported.dropped();
  std::string line = output.shown() + ": " + Wording::number_of(runs.size(), "run");
  if (dropped) {
    line +=
        fmt::format("; {} dropped: the segments have holes", Wording::number_of(dropped, "record"));
  }
  return line + "\n";
}

bool needs_segments(const ExportOptions& options) {
  return options.format == "perfetto" || options.rows == "segments" || options.rows == "waits";
}

Status write(const ExportOptions& options, const Report& report, const TraceDirectory& directory,
             const std::vector<ExportedRun>& runs, OutputFile& file) {
  if (options.format == "perfetto") return export_perfetto(report, directory, runs, file);
  if (options.format == "ndjson") return export_ndjson(report, directory, runs, file);
  const RowKind kind = options.rows.empty() ? RowKind::run : kRows.at(options.rows);
  return export_csv(report, directory, runs, kind, file);
}

Status run_export(const ExportOptions& options) {
  if (!options.rows.empty() && options.format != "csv") {
    return fail("--rows is for --format csv; the other formats have rows of every kind");
  }
  const Result<Report> report = read_report(options.report);
  if (!report) return fail(report.error());
  auto directory = TraceDirectory::of(options.report);
  if (!directory) return fail(directory.error());
  auto runs = runs_to_export(*report, options.filter);
  if (runs && needs_segments(options)) runs = with_segments(*runs);
  if (!runs) {
    return fail(runs.error().code, printable(options.report) + ": " + runs.error().message);
  }
  auto file = OutputFile::open(options.output);
  if (!file) return fail(file.error());
  if (Status s = refuse_own_file(*file, *directory, options.report, *runs); !s) return s;
  if (options.format == "perfetto" && file->is_terminal()) {
    return fail(
        fmt::format("a trace for Perfetto is binary, and {} is a terminal: name a file with "
                    "-o, or use a pipe",
                    file->shown()));
  }
  if (Status s = write(options, *report, *directory, *runs, *file); !s) return s;
  if (Status s = file->finish(); !s) return s;
  if (!file->is_standard_output()) return write_output(closing_line(*file, *runs));
  write_message(closing_line(*file, *runs));
  return {};
}

}  // namespace

void add_export(CLI::App& app, Exit& exit) {
  auto options = std::make_shared<ExportOptions>();
  Command command(app, "export", "write a report and its segments for other programs");
  command.option("REPORT", options->report, "report.json, or the directory that holds it")
      .required();
  command.option("--format", options->format, "perfetto (ui.perfetto.dev), csv or ndjson")
      .one_of({"perfetto", "csv", "ndjson"})
      .required();
  command.option("-o", options->output, "file to write; - is standard output")
      .value_kind("FILE")
      .required();
  command
      .option("--rows", options->rows,
              "with csv, what a row is: runs (the default), cores, threads, waits or segments")
      .one_of({"runs", "cores", "threads", "waits", "segments"});
  command.option("--cell", options->filter.cells, 0, INT_MAX, "only this cell; may be repeated");
  command.option("--block", options->filter.blocks, 0, INT_MAX, "only this block; may be repeated");
  command.on_run([options, &exit] { exit = exit_of(run_export(*options)); });
}

}  // namespace gilscope
