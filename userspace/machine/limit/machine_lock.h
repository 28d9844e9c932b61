// Allows one experiment at a time on a machine: two would measure each other, and undo each other's
// changes.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "userspace/base/fd.h"
#include "userspace/base/result.h"
#include "userspace/machine/limit/experiment_marker.h"
#include "userspace/machine/limit/state_directory.h"

namespace gilscope {

// Held until it goes out of scope or its process ends in any way.
//
// Root sets a mark that is visible in all containers and that no other user can set
// (experiment_marker.h), and locks a file in /run/gilscope if that exists or can be made.
//
// Every user locks the files of the namespaces that it is in (/proc/self/ns): the kernel has one of
// each, whatever is mounted, and processes of two containers nearly always share at least the time
// namespace. Two processes that share none do not see each other. Any user may lock these files and
// so block others; root, once its mark is set, only warns of such a lock and continues.
class MachineLock {
 public:
  static Result<MachineLock> take(const std::string& directory = kStateDirectory);
  ~MachineLock();
  MachineLock(MachineLock&&) noexcept = default;
  MachineLock& operator=(MachineLock&&) = delete;

 private:
  MachineLock() = default;
  Status lock_namespaces(bool refuse);
  Status lock_file(const std::string& directory);

  std::vector<Fd> namespaces_;
  std::optional<ExperimentMarker> marker_;
  Fd file_;
};

}  // namespace gilscope
