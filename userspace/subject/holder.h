// The holder of a GIL at the moment.
#pragma once

#include <optional>
#include <string>

#include "userspace/base/result.h"
#include "userspace/subject/subject.h"

namespace gilscope {

struct Holder {
  std::optional<bool> held;  // empty: the interpreter does not let it be seen
  pid_t tid = 0;             // of the holder, or where nobody has it, of the last one; 0: not known
  std::string name;          // of that thread
};

Result<Holder> holder_of(const Subject& subject, const GilPlace& place);

}  // namespace gilscope
