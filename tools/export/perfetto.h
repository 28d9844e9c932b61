// Writes runs as a trace for ui.perfetto.dev. docs/export.md describes what is in it.
#pragma once

#include "tools/export/runs.h"
#include "tools/trace/run_trace.h"
#include "userspace/base/output_file.h"

namespace gilscope {

// `runs` have segments and follow one another in time.
Status export_perfetto(const Report& report, const TraceDirectory& directory,
                       const std::vector<ExportedRun>& runs, OutputFile& file);

}  // namespace gilscope
