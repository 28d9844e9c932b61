#include "tools/export/row_export.h"

#include "tools/export/csv.h"
#include "tools/export/ndjson.h"
#include "tools/export/wait_rows.h"
#include "tools/trace/trace_findings.h"

namespace gilscope {
namespace {

template <typename Writer>
Status write_segments(Writer& writer, const Report& report, const TraceDirectory& directory,
                      const ExportedRun& exported) {
  const auto trace = RunTrace::open(directory, report, *exported.cell, *exported.run);
  if (!trace) return fail(trace.error());
  return trace->each([&](std::span<const gilscope_segment> segments) {
    for (const gilscope_segment& segment : segments) write_segment_row(writer, exported, segment);
    return writer.status();
  });
}

Status write_waits(RowWriter& writer, const Report& report, const TraceDirectory& directory,
                   const ExportedRun& exported) {
  const auto trace = RunTrace::open(directory, report, *exported.cell, *exported.run);
  if (!trace) return fail(trace.error());
  const auto findings = trace_findings(*trace);
  if (!findings) return fail(findings.error());
  write_wait_rows(writer, exported, findings->waits);
  return {};
}

void write_cpus(RowWriter& writer, const ExportedRun& exported) {
  for (const CpuTrace& cpu : exported.run->cpus) write_cpu_row(writer, exported, cpu);
}

void write_threads(RowWriter& writer, const ExportedRun& exported) {
  for (size_t slot = 0; slot < exported.run->threads.size(); ++slot) {
    write_thread_row(writer, exported, slot);
  }
}

}  // namespace

Status export_csv(const Report& report, const TraceDirectory& directory,
                  const std::vector<ExportedRun>& runs, RowKind kind, OutputFile& file) {
  CsvWriter writer(file);
  const std::set<std::string> results = workload_results(runs);
  for (const ExportedRun& exported : runs) {
    switch (kind) {
      case RowKind::run:
        write_run_row(writer, exported, results);
        break;
      case RowKind::cpu:
        write_cpus(writer, exported);
        break;
      case RowKind::thread:
        write_threads(writer, exported);
        break;
      case RowKind::wait:
        if (!exported.has_segments()) break;
        if (Status s = write_waits(writer, report, directory, exported); !s) return s;
        break;
      case RowKind::segment:
        if (!exported.has_segments()) break;
        if (Status s = write_segments(writer, report, directory, exported); !s) return s;
    }
    if (!writer.status()) break;
  }
  if (writer.empty() && kind == RowKind::wait) {
    return fail(Exit::no_data,
                "the report has no such rows: no thread waited, or the locks have no single owner");
  }
  if (writer.empty()) {
    return fail(Exit::no_data,
                "the report has no such rows: only traced runs have CPUs, and only "
                "those traced in full have segments");
  }
  return writer.status();
}

Status export_ndjson(const Report& report, const TraceDirectory& directory,
                     const std::vector<ExportedRun>& runs, OutputFile& file) {
  NdjsonWriter writer(file);
  writer.header(report);
  const std::set<std::string> results = workload_results(runs);
  for (const ExportedRun& exported : runs) {
    write_run_row(writer, exported, results);
    write_cpus(writer, exported);
    write_threads(writer, exported);
    if (exported.has_segments()) {
      if (Status s = write_waits(writer, report, directory, exported); !s) return s;
      if (Status s = write_segments(writer, report, directory, exported); !s) return s;
    }
    if (!writer.status()) break;
  }
  return writer.status();
}

}  // namespace gilscope
