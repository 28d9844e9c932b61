// The section of one cell: its CPUs, its threads, its distributions, who woke whom, and its
// timelines.
#pragma once

#include <string>

#include "tools/html/page.h"

namespace gilscope {

// All but the timelines, folded unless `open`.
std::string cell_section(const PageContent& page, const CellSummary& cell,
                         const std::string& timelines, bool open);

}  // namespace gilscope
