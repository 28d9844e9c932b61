// Workloads of computing threads that end when their work is done.
//
// throughput:task=pidigits,n=100   n operations of one of the tasks (tasks.h) in each thread
// native:n=20,length=10ms          n native calls in each thread that hold the GIL for `length` of
//                                  CPU time each, as an extension does that never releases it
// mixed:n=1k,compute=1k,block=100us[,seconds=S]
//                                  n times: `compute` iterations of counting, then a call that
//                                  blocks for `block`, the GIL released; `seconds` ends it earlier
#pragma once

#include "userspace/workload/workload.h"

namespace gilscope {

std::vector<Parameter> throughput_parameters();
std::unique_ptr<Workload> make_throughput(const Parameters& parameters);

std::vector<Parameter> native_parameters();
std::unique_ptr<Workload> make_native(const Parameters& parameters);

std::vector<Parameter> mixed_parameters();
std::unique_ptr<Workload> make_mixed(const Parameters& parameters);

}  // namespace gilscope
