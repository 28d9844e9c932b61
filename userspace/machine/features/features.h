// What this machine can do for an experiment, found by trying, never from the kernel's version.
#pragma once

#include <string>
#include <vector>

#include "userspace/base/result.h"

namespace gilscope {

struct Feature {
  std::string name;
  bool ok = false;
  bool required = false;  // needed for tracing
  std::string detail;     // what was found
  std::string fix;        // one line, used unless `ok`
};

// Loads a few BPF programs of two instructions; changes nothing.
std::vector<Feature> probe_features();

// Fails with Exit::unable and the fix for the first required feature that is missing.
Status first_missing(const std::vector<Feature>& features);

// first_missing() for this machine.
Status require_tracing();

}  // namespace gilscope
