// Finds a lock of glibc's that is no interpreter's GIL in a process that runs.
#pragma once

#include "userspace/base/result.h"
#include "userspace/subject/lock_name.h"
#include "userspace/subject/subject.h"

namespace gilscope {

// The subject's one "GIL" is that lock. Fails with one line that says why it cannot be followed.
// With mutex:auto the threads are watched for options.observe_ms.
Result<Subject> find_lock(pid_t pid, const LockName& name, const FindOptions& options = {});

}  // namespace gilscope
