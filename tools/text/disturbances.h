// The text report on the runs that limits have left out.
#pragma once

#include <string>

#include "tools/text/report_tables.h"

namespace gilscope {

// How many, by which limit, what is left without a number by it, and what could not
// be judged. Nothing where there is nothing to say.
void print_left_out_runs(const Page& page);

// "foreign 41.2 % (limit 25.0 %)", of every disturbance limit that the run hit.
std::string disturbances_of(const Run& run);

}  // namespace gilscope
