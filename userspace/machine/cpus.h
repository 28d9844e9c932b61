// Chooses the CPUs that a run may use, by topology rather than by number.
#pragma once

#include <string>
#include <vector>

#include "userspace/base/result.h"

namespace gilscope {

struct Cpu {
  int id = 0;
  int core = 0;  // physical core within its package
  int package = 0;
  int node = 0;  // NUMA node
  bool online = true;
};

// Reads the topology below `root`, which tests may replace. Offline CPUs have online = false.
Result<std::vector<Cpu>> read_topology(const std::string& root = "/sys/devices/system/cpu");

// The orders in which a count takes CPUs:
//   cores-first     one CPU of every core, package by package; then their siblings
//   siblings-first  all CPUs of a core before the next core, package by package
//   packages-first  each package in turn, cores first within it
//   nodes-first     each NUMA node in turn, cores first within it
const std::vector<std::string>& cpu_orders();

// Sorts CPUs into one of cpu_orders().
std::vector<int> in_order(const std::vector<Cpu>& cpus, const std::string& order);

// Resolves "1", "2", "all" (a count, taken in `order`) or "cpu:0,2-3" (these). Every CPU must be
// online and within `allowed` (this process's affinity mask).
Result<std::vector<int>> resolve_cpus(const std::string& request, const std::vector<Cpu>& topology,
                                      const std::vector<int>& allowed,
                                      const std::string& order = "cores-first");

// Expands ranges such as "1..all" and "2..8" to counts that double up to the last one: 1, 2, 4,
// all. Keeps other requests as they are.
std::vector<std::string> expand_cpus(const std::vector<std::string>& requests,
                                     const std::vector<Cpu>& topology,
                                     const std::vector<int>& allowed);

// This process's affinity mask, ascending.
Result<std::vector<int>> allowed_cpus();

// Returns a request's canonical text ("010" is "10"). Checks only its form, not this machine.
Result<std::string> canonical_cpus(const std::string& request);

}  // namespace gilscope
