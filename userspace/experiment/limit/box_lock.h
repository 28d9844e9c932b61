// One experiment at a time on a box: two would measure each other, and undo each other's changes.
#pragma once

#include <string>

#include "userspace/experiment/limit/state_directory.h"
#include "userspace/util/fd.h"
#include "userspace/util/result.h"

namespace gilscope {

// Held until it goes out of scope, or its process ends however it ends.
//
// Root locks a file in its own /run/gilscope, which no other user can open and so none can hold
// against root. Other users, who can only run untraced and by affinity, have no directory that is
// surely theirs (environment variables prove nothing): each user's own experiments exclude one
// another by an abstract socket named after the user id. Whoever binds that name first can keep
// such a user waiting; never root.
class BoxLock {
 public:
  static Result<BoxLock> take(const std::string& directory = kStateDirectory);

 private:
  explicit BoxLock(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
};

}  // namespace gilscope
