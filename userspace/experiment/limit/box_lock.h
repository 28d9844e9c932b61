// One experiment at a time on a box: two would measure each other, and undo each other's changes.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "userspace/experiment/limit/experiment_marker.h"
#include "userspace/experiment/limit/state_directory.h"
#include "userspace/util/fd.h"
#include "userspace/util/result.h"

namespace gilscope {

// Held until it goes out of scope, or its process ends however it ends.
//
// Root sets a mark that all containers see and that no other user can set (experiment_marker.h),
// and locks a file in its own /run/gilscope, where there is one or it can be made.
//
// Everybody locks the files of the namespaces that it is in (/proc/self/ns): the kernel has one of
// each, whatever is mounted where, and processes of two containers still have some in common, the
// time namespace nearly always. Two that share not one are not seen by each other. A lock on such a
// file takes no right, so that any user can keep others waiting; root, where its mark is set, says
// that somebody is there and goes on.
class BoxLock {
 public:
  static Result<BoxLock> take(const std::string& directory = kStateDirectory);
  ~BoxLock();
  BoxLock(BoxLock&&) noexcept = default;
  BoxLock& operator=(BoxLock&&) = delete;

 private:
  BoxLock() = default;
  Status lock_namespaces(bool refuse);
  Status lock_file(const std::string& directory);

  std::vector<Fd> namespaces_;
  std::optional<ExperimentMarker> marker_;
  Fd file_;
};

}  // namespace gilscope
