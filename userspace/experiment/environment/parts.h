// The parts of a capture, one file each. docs/metrics.md lists the keys.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "userspace/experiment/environment/box.h"
#include "userspace/experiment/environment/fact_list.h"
#include "userspace/experiment/gates.h"
#include "userspace/report/model.h"

namespace gilscope {

void add_kernel_facts(const Box& box, FactList& facts);
void add_scheduler_facts(const Box& box, FactList& facts);
void add_cpu_facts(const Box& box, FactList& facts);
// `signature`: what the CPU itself says of its hypervisor (hypervisor_signature()).
void add_virtualization_facts(const Box& box, const std::optional<std::string>& signature,
                              FactList& facts);
void add_process_facts(const Box& box, FactList& facts);
void add_host_facts(const Box& box, FactList& facts);
void add_interrupt_facts(const Box& box, FactList& facts);
// Of this program and the running kernel's BPF; no files of the box.
void add_tool_facts(FactList& facts);

// The same for what moves.
void add_frequency_facts(const Box& box, FactList& facts);
void add_cgroup_facts(const Box& box, FactList& facts);
void add_process_settings(const Box& box, FactList& facts);
// By system calls; no files of the box.
void add_inherited_facts(FactList& facts);

// The twelve characters by which a hypervisor names itself to the CPUID instruction, "" where none
// does; empty where there is no such instruction.
std::optional<std::string> hypervisor_signature();
// Whether that hypervisor is an emulator: no time means anything there.
bool on_emulated_cpus();

// The directories of this process's cgroups below their mounts, from its own up to the root; with
// `controller` "" in the unified hierarchy, else in the older one that has this controller.
std::vector<std::string> cgroup_directories(const Box& box, const std::string& controller);

// How often, and for how long, a bandwidth limit stopped this process's cgroup or one above it.
struct Throttling {
  int64_t periods = 0, ns = 0;
};
Result<Throttling> throttling(const Box& box);

// In words, where reading a file below /sys/kernel/debug failed.
std::string why_no_debugfs(const Box& box, const Error& error);

// The build id among ELF notes, in hex; empty where there is none.
std::string build_id_among(std::string_view notes);

// The running kernel's configuration, and which file it is from.
struct KernelConfig {
  std::string text, path;
};
Result<KernelConfig> read_kernel_config(const Box& box);

GateReadings::SchedExt read_sched_ext(const Box& box);

// A line of /proc/meminfo, in bytes.
Result<int64_t> memory_bytes(const Box& box, const char* key);

// The CPUs that are online now.
Result<std::vector<int>> online_cpus(const Box& box);

Facts capture_environment(const Box& box, const std::optional<std::string>& signature);
Facts capture_moment(const Box& box);

// Of these CPUs since boot, in the kernel's steps of 10 ms; empty where one of them is not listed.
struct CpuTimes {
  uint64_t steal_ns = 0;
  uint64_t idle_ns = 0;  // waiting for a disk included
};
std::optional<CpuTimes> read_cpu_times(const Box& box, const std::vector<int>& cpus);
std::optional<uint64_t> read_steal_ns(const Box& box, const std::vector<int>& cpus);
GateReadings read_gates(const Box& box, const std::vector<int>& cpus);

}  // namespace gilscope
