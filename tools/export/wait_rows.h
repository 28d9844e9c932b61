// A run's wait matrix as rows: one for each waiter, how it spent the time, owner, and how
// that one spent it. docs/export.md describes the columns.
#pragma once

#include "tools/export/rows.h"
#include "tools/trace/wait_matrix.h"

namespace gilscope {

void write_wait_rows(RowWriter& writer, const ExportedRun& exported, const WaitMatrix& waits);

}  // namespace gilscope
