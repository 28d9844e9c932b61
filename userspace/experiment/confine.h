// What a worker, or its client, does to itself before it runs anything: dies with its parent, keeps
// to its CPUs, and gives up the privileges and descriptors that a run does not need.
#pragma once

#include <sys/types.h>

#include <span>
#include <vector>

#include "userspace/util/result.h"

namespace gilscope {

struct Kept {
  std::vector<int> descriptors;  // besides the three standard ones
  bool bpf = false;              // the right to run programs on itself
};
Status confine(pid_t parent, std::span<const int> cpus, Kept kept);

}  // namespace gilscope
