// The machine's mounted cpuset cgroups.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "userspace/base/result.h"
#include "userspace/machine/machine.h"

namespace gilscope {

struct CpusetHierarchy {
  bool v2 = false;
  std::string mount;  // for example "/sys/fs/cgroup/cpuset"

  // The file with the CPUs that a cgroup really has.
  const char* effective_file() const {
    return v2 ? "cpuset.cpus.effective" : "cpuset.effective_cpus";
  }
};

// The hierarchy that has the cpuset controller, if any; a kernel has it in at most one.
std::optional<CpusetHierarchy> find_cpusets(const Machine& machine);

struct Cpuset {
  std::string cgroup;  // below the hierarchy's root
  std::vector<int> cpus;
  bool has_tasks = false;
};

// Every cpuset with CPUs below the root of a cgroup v1 hierarchy, children before parents. Leaves
// out those that vanish while being read.
std::vector<Cpuset> list_cpusets(const Machine& machine, const CpusetHierarchy& hierarchy);

// Compares what a v2 partition's file says, such as "root" or "root invalid (Cpu list in
// cpuset.cpus not exclusive)", with what was wanted: empty if equal, otherwise the reason.
std::string partition_problem(const std::string& wanted, const std::string& found);

}  // namespace gilscope
