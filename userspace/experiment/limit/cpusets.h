// The box's cpuset cgroups, as they are mounted.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "userspace/experiment/environment/box.h"
#include "userspace/util/result.h"

namespace gilscope {

struct CpusetHierarchy {
  bool v2 = false;
  std::string mount;  // on the box: "/sys/fs/cgroup/cpuset"

  // The CPUs that its root can give away.
  const char* effective_file() const {
    return v2 ? "cpuset.cpus.effective" : "cpuset.effective_cpus";
  }
};

// Where the cpuset controller is, if anywhere: a kernel has it in one hierarchy.
std::optional<CpusetHierarchy> find_cpusets(const Box& box);

struct Cpuset {
  std::string cgroup;  // below the hierarchy's root
  std::vector<int> cpus;
  bool has_tasks = false;
};

// Every cpuset below the root of a cgroup v1 hierarchy that names CPUs, children before their
// parents. Those that go while they are read are left out.
std::vector<Cpuset> list_cpusets(const Box& box, const CpusetHierarchy& hierarchy);

// A v2 partition's own word of itself, such as "root" or "root invalid (Cpu list in cpuset.cpus not
// exclusive)": empty where it is what was asked for, else the reason.
std::string partition_problem(const std::string& wanted, const std::string& found);

}  // namespace gilscope
