// The experiments that the program carries, and the only reader of a spec's text.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "userspace/base/result.h"

namespace gilscope {

// One of builtin/*.toml, which describes itself in its first lines:
//
//   # summary: one line, for lists
//   # place: its place in lists, from 1; without one it comes last
struct Builtin {
  std::string name;
  std::string summary;
  std::string toml;
};
const std::vector<Builtin>& builtin_specs();

// The value of a line "# key: value" among the comments that a spec begins with, or "".
std::string spec_header(const std::string& toml, const std::string& key);

// A name without '/' that does not end in ".toml" is a built-in's, anything else a file's. Returns
// the TOML and its name in errors ("built-in demo", or the path).
Result<std::pair<std::string, std::string>> load_spec_text(const std::string& name_or_path);

}  // namespace gilscope
