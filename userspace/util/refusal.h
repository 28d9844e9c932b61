// What to do where the kernel refuses something for want of a resource or of a right: errno's own
// words name what lacks, and never where more of it is to be had.
#pragma once

#include <string>

#include "userspace/util/result.h"

namespace gilscope {

// "raise `ulimit -n`"; empty where errno says it all.
std::string way_out(int error);

// For a system call that has just failed because of what this box grants: Exit::unable, with
// errno's words and the way out.
tl::unexpected<Error> refused(const std::string& what, int error = errno);

// Whether /proc and /sys are there, as the kernel makes them; each fails with the way out.
Status require_proc();
Status require_sys();

}  // namespace gilscope
