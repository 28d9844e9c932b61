// yield:seconds=1[,background=0][,task=count]
//   Each measured thread gives up its core and the GIL, over and over: os.sched_yield, which
//   releases the GIL since CPython 3.12 (gh-96078). One operation is one call.
//
// With two threads a core and no lock each call is a switch and little else: nobody sleeps and
// nobody is woken, which makes more segments than anything else here.
#pragma once

#include "userspace/workload/workload.h"

namespace gilscope {

std::vector<Parameter> yield_parameters();
std::unique_ptr<Workload> make_yield(const Parameters& parameters);

}  // namespace gilscope
