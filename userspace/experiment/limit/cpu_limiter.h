// The ways of giving a run its CPUs and no others: one class each, one file each.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "userspace/experiment/environment/box.h"
#include "userspace/experiment/limit/state_directory.h"
#include "userspace/util/result.h"

namespace gilscope {

using CpuSet = std::vector<int>;  // ascending

class CpuLimiter {
 public:
  virtual ~CpuLimiter() = default;

  // Whether this box can give a run each of these sets. Looks, and changes nothing; the error is
  // Exit::unable with the file, what is wrong with it and what to do.
  virtual Status check(const std::vector<CpuSet>& sets) const = 0;

  // Before a run. Stays until the next one needs something else.
  virtual Status apply(const CpuSet& cpus) = 0;

  // In the worker, while it has its privileges still.
  virtual Status enter(const CpuSet& cpus) const = 0;

  // Everything as it was found. The destructor does it too, but has nobody to tell of an error.
  virtual Status restore() = 0;

  // For the report: what it is on this box.
  virtual std::string how() const = 0;
};

// "affinity", "cpuset" or "hotplug". Nothing is opened or made before check() and apply() ask for
// it.
std::unique_ptr<CpuLimiter> make_limiter(const std::string& method, Box box = Box(),
                                         const std::string& state_directory = kStateDirectory);

std::unique_ptr<CpuLimiter> make_affinity_limiter();
std::unique_ptr<CpuLimiter> make_cpuset_limiter(Box box, const std::string& state_directory);
std::unique_ptr<CpuLimiter> make_hotplug_limiter(Box box, const std::string& state_directory);

// Applies each set once and restores: what a box refuses is known before anything is measured. Any
// error is Exit::unable. Sets that are left when `stop` says so are not tried.
Status rehearse(
    CpuLimiter& limiter, const std::vector<CpuSet>& sets,
    const std::function<bool()>& stop = [] { return false; });

}  // namespace gilscope
