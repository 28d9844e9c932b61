// Which CPUs a run may use, chosen by topology and not by number.
#pragma once

#include <string>
#include <vector>

#include "userspace/util/result.h"

namespace gilscope {

struct Cpu {
  int id = 0;
  int core = 0;  // physical core within its package
  int package = 0;
  int node = 0;  // of memory (NUMA)
  bool online = true;
};

// Read below `root` ("/sys/devices/system/cpu"), so that tests can bring their own. Offline CPUs
// are listed with online = false.
Result<std::vector<Cpu>> read_topology(const std::string& root = "/sys/devices/system/cpu");

// In which order a count takes CPUs:
//   cores-first     one of every core, package by package; then their siblings
//   siblings-first  all of a core before the next core, package by package
//   packages-first  each package in turn, cores first within it
//   nodes-first     each NUMA node in turn, cores first within it
const std::vector<std::string>& cpu_orders();

// All of these CPUs, in one of cpu_orders().
std::vector<int> in_order(const std::vector<Cpu>& cpus, const std::string& order);

// "1", "2", "all" (a count, taken in `order`) or "cpu:0,2-3" (these). Only CPUs that are online and
// within `allowed` (this process's own affinity mask) can be had.
Result<std::vector<int>> resolve_cpus(const std::string& request, const std::vector<Cpu>& topology,
                                      const std::vector<int>& allowed,
                                      const std::string& order = "cores-first");

// "1..all" and "2..8" become counts that double, up to the last one: 1, 2, 4, all. The others are
// left as they are.
std::vector<std::string> expand_cpus(const std::vector<std::string>& requests,
                                     const std::vector<Cpu>& topology,
                                     const std::vector<int>& allowed);

// This process's affinity mask, ascending.
Result<std::vector<int>> allowed_cpus();

// A request's canonical text ("010" is "10"), or why it is none. The form alone is checked: no box
// is looked at.
Result<std::string> canonical_cpus(const std::string& request);

}  // namespace gilscope
