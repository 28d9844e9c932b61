// Undoes one change: writes the value found before, and reads it back.
#pragma once

#include "userspace/base/result.h"
#include "userspace/machine/limit/change.h"
#include "userspace/machine/machine.h"

namespace gilscope {

// Succeeds without a write if the value is already the one found before, or the thing is gone (a
// cgroup removed, a task ended). Errors name the file and the value.
Status undo(const Machine& machine, const Change& change);

// Writes a value to a kernel file.
Status write_value(const Machine& machine, const std::string& path, const std::string& value);

}  // namespace gilscope
