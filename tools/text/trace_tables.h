// The tables of the text report that come from segments.
#pragma once

#include "tools/text/report_tables.h"

namespace gilscope {

// How the GIL's time went, hand-offs, and chains of scheduling delay.
void print_gil_table(const Page& page, const Report& report);
// The same for each run.
void print_gil_blocks(const Page& page, const Report& report);
// Migrations by source and destination CPU.
void print_migrations(const Page& page, const Report& report);
// Who woke whom.
void print_wakers(const Page& page, const Report& report);

// Segments that are missing or were dropped.
void print_missing_records(const Page& page);

}  // namespace gilscope
