// What the kernel's BPF lets this process do, each tried on its own.
#pragma once

#include <vector>

#include "userspace/experiment/features.h"

namespace gilscope {

std::vector<Feature> probe_bpf();

}  // namespace gilscope
