// What tells root's experiments on one kernel of each other, whatever is mounted and whichever
// namespaces they are in: a BPF map by a name of gilscope's own, since the kernel has one list of
// maps for all. Other users can neither make one of this type nor see it, so that nobody but root
// can keep root waiting.
#pragma once

#include <optional>

#include "userspace/util/fd.h"

namespace gilscope {

class ExperimentMarker {
 public:
  enum class State {
    alone,    // the mark is set until this object is gone
    taken,    // another process's is there
    unknown,  // this process may not make maps, or not list them
  };
  static ExperimentMarker set();

  State state() const { return state_; }

 private:
  State state_ = State::unknown;
  Fd map_;
};

}  // namespace gilscope
