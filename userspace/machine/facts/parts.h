// The parts of a capture, one file each. docs/metrics.md lists the keys.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "userspace/machine/box.h"
#include "userspace/machine/facts/fact_list.h"
#include "userspace/machine/facts/readings.h"
#include "userspace/report/facts.h"

namespace gilscope {

void add_kernel_facts(const Box& box, FactList& facts);
void add_scheduler_facts(const Box& box, FactList& facts);
void add_cpu_facts(const Box& box, FactList& facts);
// `signature` is from hypervisor_signature().
void add_virtualization_facts(const Box& box, const std::optional<std::string>& signature,
                              FactList& facts);
void add_process_facts(const Box& box, FactList& facts);
void add_host_facts(const Box& box, FactList& facts);
void add_interrupt_facts(const Box& box, FactList& facts);
// About this program and the running kernel's BPF; reads no files of the machine.
void add_tool_facts(FactList& facts);

// The same for facts that may change.
void add_frequency_facts(const Box& box, FactList& facts);
void add_cgroup_facts(const Box& box, FactList& facts);
void add_process_settings(const Box& box, FactList& facts);
// By system calls; reads no files of the machine.
void add_inherited_facts(FactList& facts);

// The hypervisor's signature, twelve characters from the CPUID instruction; "" without a
// hypervisor, empty on CPUs without the instruction.
std::optional<std::string> hypervisor_signature();
// Whether that hypervisor is an emulator, on which times are meaningless.
bool on_emulated_cpus();

// The directories of this process's cgroups, from its own up to the root of the mount. `controller`
// "" selects cgroup v2's hierarchy, any other name the v1 hierarchy that has this controller.
std::vector<std::string> cgroup_directories(const Box& box, const std::string& controller);

// How often and for how long bandwidth limits throttled this process's cgroup and those above it.
struct Throttling {
  int64_t periods = 0, ns = 0;
};
Result<Throttling> throttling(const Box& box);

// The reason why a file below /sys/kernel/debug could not be read.
std::string why_no_debugfs(const Box& box, const Error& error);

// The build id among ELF notes, in hexadecimal; empty if there is none.
std::string build_id_among(std::string_view notes);

// The running kernel's configuration and the file that it comes from.
struct KernelConfig {
  std::string text, path;
};
Result<KernelConfig> read_kernel_config(const Box& box);

GateReadings::SchedExt read_sched_ext(const Box& box);

// A line of /proc/meminfo, in bytes.
Result<int64_t> memory_bytes(const Box& box, const char* key);

// The currently online CPUs.
Result<std::vector<int>> online_cpus(const Box& box);

Facts capture_environment(const Box& box, const std::optional<std::string>& signature);
Facts capture_moment(const Box& box);

// The sums over these CPUs since boot, in the kernel's steps of 10 ms; empty if any CPU is not
// listed.
struct CpuTimes {
  uint64_t steal_ns = 0;
  uint64_t idle_ns = 0;  // including waits for disk I/O
};
std::optional<CpuTimes> read_cpu_times(const Box& box, const std::vector<int>& cpus);
std::optional<uint64_t> read_steal_ns(const Box& box, const std::vector<int>& cpus);
GateReadings read_gates(const Box& box, const std::vector<int>& cpus);

}  // namespace gilscope
