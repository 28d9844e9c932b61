// How the machine changed during an experiment: facts whose values differ between
// environment.before and environment.after.
#pragma once

#include <string>
#include <vector>

namespace gilscope {

struct Report;

struct EnvironmentChange {
  std::string key;
  std::string before, after;  // as text; "unknown" if it could not be read
  bool matters = false;       // false for load, memory, clocks and the like, which always change
};

// Also empty for an unfinished experiment.
std::vector<EnvironmentChange> environment_changes(const Report& report);

}  // namespace gilscope
