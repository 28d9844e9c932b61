// What to do when the kernel refuses a call for lack of a resource or a privilege: errno's text
// names what is lacking, but not how to get more of it.
#pragma once

#include <string>

#include "userspace/base/result.h"

namespace gilscope {

// For example "raise `ulimit -n`"; empty if there is no advice to give.
std::string remedy(int error);

// The error of a system call that this machine has just refused: Exit::unable, errno's text and the
// way out.
tl::unexpected<Error> refused(const std::string& what, int error = errno);

// Each fails, with the way out, unless /proc (or /sys) is the kernel's own file system.
Status require_proc();
Status require_sys();

}  // namespace gilscope
