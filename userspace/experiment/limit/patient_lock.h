// The box's lock, for those who come just after its holder was killed.
#pragma once

#include "userspace/experiment/limit/box_lock.h"

namespace gilscope {

// A gilscope that is killed may have forked a worker a moment before, which has the lock until it
// dies with its parent: that is waited for, at most a second.
Result<BoxLock> take_box_lock();

}  // namespace gilscope
