// Writes runs as rows to a file.
#pragma once

#include "tools/export/rows.h"
#include "tools/trace/run_trace.h"
#include "userspace/base/output_file.h"

namespace gilscope {

// Writes rows of one kind; segments, of the runs that have them.
Status export_csv(const Report& report, const TraceDirectory& directory,
                  const std::vector<ExportedRun>& runs, RowKind kind, OutputFile& file);

// Writes each run, followed by its CPUs, its threads, and its segments if it has them.
Status export_ndjson(const Report& report, const TraceDirectory& directory,
                     const std::vector<ExportedRun>& runs, OutputFile& file);

}  // namespace gilscope
