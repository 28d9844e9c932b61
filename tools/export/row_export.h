// Runs as rows, in a file.
#pragma once

#include "tools/export/rows.h"
#include "tools/trace/run_trace.h"
#include "userspace/util/output_file.h"

namespace gilscope {

// Rows of one kind. Segments are those of runs that have them.
Status export_csv(const Report& report, const TraceDirectory& directory,
                  const std::vector<ExportedRun>& runs, RowKind kind, OutputFile& file);

// Each run followed by its cores, its threads, and its segments if it has them.
Status export_ndjson(const Report& report, const TraceDirectory& directory,
                     const std::vector<ExportedRun>& runs, OutputFile& file);

}  // namespace gilscope
