// Parts that the tables of cells share.
#pragma once

#include <vector>

#include "tools/text/report_tables.h"
#include "tools/text/table.h"

namespace gilscope {

// In the order of the report.
std::vector<const CellSummary*> shown_cells(const Page& page);

// How long a run took or, where it lasted for a set time, how much it did.
Number headline(const Page& page, const CellSummary& cell, std::optional<double> wall_ns,
                std::optional<double> operations_per_s);

// A cell's name and headline, above its rows.
std::string heading(const Page& page, const CellSummary& cell);

}  // namespace gilscope
