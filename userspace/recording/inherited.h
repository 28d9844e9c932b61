// How this process was started: a command that gilscope runs finds its descriptors, signals and
// limits as if it had been started in gilscope's place.
#pragma once

#include <sys/resource.h>

#include <array>
#include <cstdint>
#include <vector>

#include "userspace/base/result.h"

namespace gilscope {

class Inherited {
 public:
  // Call it before this process opens a file, blocks a signal or changes a limit.
  static Result<Inherited> look();

  // For a forked child that will execute another program. No descriptor of gilscope's own survives
  // that; signals stay blocked until unblock().
  Status give_back() const;
  void unblock() const;

 private:
  uint64_t blocked_ = 0;  // the kernel's signal mask: bit 0 is signal 1
  std::vector<int> descriptors_;
  std::array<rlimit, RLIM_NLIMITS> limits_{};
};

}  // namespace gilscope
