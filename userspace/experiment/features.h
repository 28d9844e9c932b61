// What this box can do for an experiment. Found out by trying, never by the kernel's version.
#pragma once

#include <string>
#include <vector>

#include "userspace/util/result.h"

namespace gilscope {

struct Feature {
  std::string name;
  bool ok = false;
  bool required = false;  // without it nothing can be traced
  std::string detail;     // what was found
  std::string fix;        // one line, for where it is not ok
};

// Loads a few BPF programs of two instructions, and changes nothing.
std::vector<Feature> probe_features();

// The first required feature that is missing, as an Exit::unable error with its fix.
Status first_missing(const std::vector<Feature>& features);

// first_missing() of this box.
Status require_tracing();

}  // namespace gilscope
