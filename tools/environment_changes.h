// What was different about the box after an experiment: facts of environment.before that are others
// in environment.after.
#pragma once

#include <string>
#include <vector>

#include "userspace/report/model.h"

namespace gilscope {

struct EnvironmentChange {
  std::string key;
  std::string before, after;  // as text; "unknown" where it could not be read
  bool matters = false;       // not load, memory, clocks and the like, which always move
};

// Empty also where the experiment has no end yet.
std::vector<EnvironmentChange> environment_changes(const Report& report);

}  // namespace gilscope
