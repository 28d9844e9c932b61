// Makes root's experiments on one kernel visible to each other, whatever is mounted and whichever
// namespaces they are in: a BPF map with a name of gilscope's own, since the kernel has one list of
// maps for all. Other users can neither make a map of this type nor see it, so only root can block
// root.
#pragma once

#include <optional>

#include "userspace/base/fd.h"

namespace gilscope {

class ExperimentMarker {
 public:
  enum class State {
    alone,    // the mark is set while this object exists
    taken,    // another process has set the mark
    unknown,  // this process may not make or list maps
  };
  static ExperimentMarker set();

  State state() const { return state_; }

 private:
  State state_ = State::unknown;
  Fd map_;
};

}  // namespace gilscope
