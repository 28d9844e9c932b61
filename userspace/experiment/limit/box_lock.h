// One experiment at a time on a box: two would measure each other, and undo each other's changes.
#pragma once

#include <string>
#include <vector>

#include "userspace/experiment/limit/state_directory.h"
#include "userspace/util/fd.h"
#include "userspace/util/result.h"

namespace gilscope {

// Held until it goes out of scope, or its process ends however it ends.
//
// Everybody locks the files of the namespaces that it is in (/proc/self/ns): the kernel has one of
// each, whatever is mounted where, and processes of two containers still have some in common, the
// time namespace nearly always. Two that share not one are not seen by each other. A lock on such a
// file takes no right, so that any user can keep all others waiting, root included, as any user can
// disturb an experiment in other ways; the error names the process.
//
// Root locks a file in its own /run/gilscope as well, which no other user can open, where there is
// one or it can be made.
class BoxLock {
 public:
  static Result<BoxLock> take(const std::string& directory = kStateDirectory);
  ~BoxLock();
  BoxLock(BoxLock&&) noexcept = default;
  BoxLock& operator=(BoxLock&&) = delete;

 private:
  BoxLock() = default;
  Status lock_namespaces();
  Status lock_file(const std::string& directory);

  std::vector<Fd> namespaces_;
  Fd file_;
};

}  // namespace gilscope
