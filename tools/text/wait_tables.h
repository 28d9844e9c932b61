// The wait matrix as tables.
#pragma once

#include "tools/text/report_tables.h"

namespace gilscope {

// The pairs of each cell that has a lock with one owner, at most `most` of a cell, longest first.
void print_wait_tables(const Page& page, const Report& report, size_t most);

}  // namespace gilscope
