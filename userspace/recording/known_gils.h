// The GILs of a traced process, as the finder found them and the kernel side is told of them.
// `wrong_by` is added to every address: 0, but in tests of the self-test.
#pragma once

#include <cstdint>
#include <vector>

#include "userspace/subject/subject.h"

namespace gilscope {

std::vector<gilscope_gil> gils_of(const Subject& subject, uint64_t wrong_by);

// Adds the GILs that are new. Those that are known keep their places, whatever order they are found
// in.
void add_gils(Subject& known, const Subject& found);

// Whether a thread of the process is the holder of one of them at the moment, or the last one.
bool has_holder(const Subject& subject, uint64_t wrong_by);

}  // namespace gilscope
