// The experiments that the program carries, and the one place where a spec's text is fetched.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "userspace/util/result.h"

namespace gilscope {

struct Builtin {
  std::string name;
  std::string summary;  // one line
  std::string toml;
};
const std::vector<Builtin>& builtin_specs();

// A name without '/' that does not end in ".toml" is a built-in's; anything else is a file's. Gives
// the TOML and what to call it in errors ("built-in demo", or the path).
Result<std::pair<std::string, std::string>> load_spec_text(const std::string& name_or_path);

}  // namespace gilscope
