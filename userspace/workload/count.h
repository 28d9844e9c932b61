// count:n=20M[,seconds=S]: each thread counts n down to 0 in bytecode, the seed's own loop. One
// operation is one iteration. With main_exit = "kill", and only with it, `seconds` is how long main
// lives.
#pragma once

#include "userspace/workload/workload.h"

namespace gilscope {

std::vector<Parameter> count_parameters();
std::unique_ptr<Workload> make_count(const Parameters& parameters);

}  // namespace gilscope
