// The parts of a capture, one file each. docs/metrics.md lists the keys.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "userspace/machine/facts/fact_list.h"
#include "userspace/machine/facts/readings.h"
#include "userspace/machine/machine.h"
#include "userspace/report/facts.h"

namespace gilscope {

void add_kernel_facts(const Machine& machine, FactList& facts);
void add_scheduler_facts(const Machine& machine, FactList& facts);
void add_cpu_facts(const Machine& machine, FactList& facts);
// `signature` is from hypervisor_signature().
void add_virtualization_facts(const Machine& machine, const std::optional<std::string>& signature,
                              FactList& facts);
void add_process_facts(const Machine& machine, FactList& facts);
void add_host_facts(const Machine& machine, FactList& facts);
void add_interrupt_facts(const Machine& machine, FactList& facts);
// About this program and the running kernel's BPF; reads no files of the machine.
void add_tool_facts(FactList& facts);

// The same for facts that may change.
void add_frequency_facts(const Machine& machine, FactList& facts);
void add_cgroup_facts(const Machine& machine, FactList& facts);
void add_process_settings(const Machine& machine, FactList& facts);
// By system calls; reads no files of the machine.
void add_inherited_facts(FactList& facts);

// The hypervisor's signature, twelve characters from the CPUID instruction; "" without a
// hypervisor, empty on CPUs without the instruction.
std::optional<std::string> hypervisor_signature();
// Whether that hypervisor is an emulator, on which times are meaningless.
bool on_emulated_cpus();

// The directories of this process's cgroups, from its own up to the root of the mount. `controller`
// "" selects cgroup v2's hierarchy, any other name the v1 hierarchy that has this controller.
std::vector<std::string> cgroup_directories(const Machine& machine, const std::string& controller);

// How often and for how long bandwidth limits throttled this process's cgroup and those above it.
struct Throttling {
  int64_t periods = 0, ns = 0;
};
Result<Throttling> throttling(const Machine& machine);

// The reason why a file below /sys/kernel/debug could not be read.
std::string why_no_debugfs(const Machine& machine, const Error& error);

// The build id among ELF notes, in hexadecimal; empty if there is none.
std::string build_id_among(std::string_view notes);

// The running kernel's configuration and the file that it comes from.
struct KernelConfig {
  std::string text, path;
};
Result<KernelConfig> read_kernel_config(const Machine& machine);

DisturbanceReadings::SchedExt read_sched_ext(const Machine& machine);

// A line of /proc/meminfo, in bytes.
Result<int64_t> memory_bytes(const Machine& machine, const char* key);

// The currently online CPUs.
Result<std::vector<int>> online_cpus(const Machine& machine);

Facts capture_environment(const Machine& machine, const std::optional<std::string>& signature);
Facts capture_moment(const Machine& machine);

// The sums over these CPUs since boot, in the kernel's steps of 10 ms; empty if any CPU is not
// listed.
struct CpuTimes {
  uint64_t steal_ns = 0;
  uint64_t idle_ns = 0;  // including waits for disk I/O
};
std::optional<CpuTimes> read_cpu_times(const Machine& machine, const std::vector<int>& cpus);
std::optional<uint64_t> read_steal_ns(const Machine& machine, const std::vector<int>& cpus);
DisturbanceReadings read_disturbances(const Machine& machine, const std::vector<int>& cpus);

}  // namespace gilscope
