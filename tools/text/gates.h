// What the text report says of the runs that gates have left out.
#pragma once

#include <string>

#include "tools/text/report_tables.h"

namespace gilscope {

// How many, by which gate at which limit, what is left without a number by it, and what could not
// be judged. Nothing where there is nothing to say.
void print_gates(const Page& page);

// "foreign 41.2 % (limit 25.0 %)", of every gate that the run hit.
std::string gates_of(const Run& run);

}  // namespace gilscope
