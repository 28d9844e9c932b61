// The report in one screen: what was run where, the finding, the slowdown with its interval, one
// line a CPU, what was lost or disturbed, and how to see more.
#pragma once

#include "tools/text/report_tables.h"

namespace gilscope {

// No more than this, from 80 columns on: rows that find no room are counted instead.
inline constexpr size_t kScreenLines = 40;

void print_screen(const Page& page, const Report& report);

}  // namespace gilscope
