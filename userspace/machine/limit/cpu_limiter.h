// The methods of giving a run its CPUs and no others, each a class in a file of its own.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "userspace/base/result.h"
#include "userspace/machine/limit/state_directory.h"
#include "userspace/machine/machine.h"

namespace gilscope {

using CpuSet = std::vector<int>;  // ascending

class CpuLimiter {
 public:
  virtual ~CpuLimiter() = default;

  // Checks whether this machine can give a run each of these sets, without changing anything. The
  // error is Exit::unable with the file, what is wrong with it and what to do.
  virtual Status check(const std::vector<CpuSet>& sets) const = 0;

  // Called before a run. Stays in force until a run needs another set.
  virtual Status apply(const CpuSet& cpus) = 0;

  // Called in the worker before it gives up its privileges.
  virtual Status enter(const CpuSet& cpus) const = 0;

  // Restores everything as it was found. The destructor does so too, but cannot report an error.
  virtual Status restore() = 0;

  // Describes, for the report, what the method does on this machine.
  virtual std::string how() const = 0;
};

// `method` is "affinity", "cpuset" or "hotplug". Opens and makes nothing before check() and
// apply().
std::unique_ptr<CpuLimiter> make_limiter(const std::string& method, Machine machine = Machine(),
                                         const std::string& state_directory = kStateDirectory);

std::unique_ptr<CpuLimiter> make_affinity_limiter();
std::unique_ptr<CpuLimiter> make_cpuset_limiter(Machine machine,
                                                const std::string& state_directory);
std::unique_ptr<CpuLimiter> make_hotplug_limiter(Machine machine,
                                                 const std::string& state_directory);

// Applies each set once and restores, to find out what the machine refuses before anything is
// measured. Any error is Exit::unable. Tries no further sets once `stop` returns true.
Status rehearse(
    CpuLimiter& limiter, const std::vector<CpuSet>& sets,
    const std::function<bool()>& stop = [] { return false; });

}  // namespace gilscope
