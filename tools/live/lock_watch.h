// The LockWatch of `gilscope top` and of metrics: who made whom wait, and hand-offs, from segments
// as they come.
#pragma once

#include "userspace/live/lock_watch.h"

namespace gilscope {

std::unique_ptr<LockWatch> make_lock_watch();

}  // namespace gilscope
