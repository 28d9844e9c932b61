// The parts of a capture, one file each. docs/metrics.md lists the keys.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "userspace/experiment/environment/box.h"
#include "userspace/experiment/environment/fact_list.h"
#include "userspace/report/model.h"

namespace gilscope {

void add_kernel_facts(const Box& box, FactList& facts);
void add_scheduler_facts(const Box& box, FactList& facts);
void add_cpu_facts(const Box& box, FactList& facts);
// `signature`: what the CPU itself says of its hypervisor (hypervisor_signature()).
void add_virtualization_facts(const Box& box, const std::optional<std::string>& signature,
                              FactList& facts);
void add_limit_facts(const Box& box, FactList& facts);
void add_host_facts(const Box& box, FactList& facts);

// The twelve characters by which a hypervisor names itself to the CPUID instruction, "" where none
// does; empty where there is no such instruction.
std::optional<std::string> hypervisor_signature();

// The directories of this process's cgroups below their mounts, from its own up to the root; with
// `controller` "" in the unified hierarchy, else in the older one that has this controller.
std::vector<std::string> cgroup_directories(const Box& box, const std::string& controller);

// A line of /proc/meminfo, in bytes.
Result<int64_t> memory_bytes(const Box& box, const char* key);

// The CPUs that are online now.
Result<std::vector<int>> online_cpus(const Box& box);

Facts capture_environment(const Box& box, const std::optional<std::string>& signature);
Facts capture_moment(const Box& box);
std::optional<uint64_t> read_steal_ns(const Box& box, const std::vector<int>& cpus);

}  // namespace gilscope
