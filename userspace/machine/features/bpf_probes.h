// Probes which BPF features this process may use, each by trying it.
#pragma once

#include <vector>

#include "userspace/machine/features/features.h"

namespace gilscope {

std::vector<Feature> probe_bpf();

}  // namespace gilscope
