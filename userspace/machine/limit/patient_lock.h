// Takes the machine's lock even right after its holder was killed.
#pragma once

#include "userspace/machine/limit/machine_lock.h"

namespace gilscope {

// Waits for up to a second: a killed gilscope may just have forked a worker, which holds the lock
// until it dies with its parent.
Result<MachineLock> take_machine_lock();

}  // namespace gilscope
