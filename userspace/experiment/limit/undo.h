// Taking one change back: the value found before is written and read back.
#pragma once

#include "userspace/experiment/environment/box.h"
#include "userspace/experiment/limit/change.h"
#include "userspace/util/result.h"

namespace gilscope {

// Done where the value is already the one found, or where the thing is gone (a cgroup removed, a
// task ended). The error names the file and the value.
Status undo(const Box& box, const Change& change);

// Writes a value into a file of the kernel's.
Status write_value(const Box& box, const std::string& path, const std::string& value);

}  // namespace gilscope
