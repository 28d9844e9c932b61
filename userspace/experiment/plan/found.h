// The interpreters of this machine, by the names of their files alone: nothing is executed.
#pragma once

#include <string>
#include <vector>

#include "userspace/base/result.h"

namespace gilscope {

struct FoundInterpreter {
  std::string kind;     // python | pypy | jython | ruby
  std::string version;  // "3.11", as its name has it; empty: it has none
  std::string path;

  std::string policy() const { return kind + ":" + path; }
};

// Those in the directories of PATH, in well-known ones, and those that GILSCOPE_INTERPRETERS names
// (paths with colons between them); each file once, in the order of their kinds and versions.
std::vector<FoundInterpreter> found_interpreters();

// A policy's "found:python2.7" names an interpreter that may or may not be there. Takes the place
// of each such text: that of the one found; of one that is not, its name goes to `missing`.
std::vector<std::string> with_found(const std::vector<std::string>& policies,
                                    std::vector<std::string>& missing);

// How to get one: "no python2.7 was found here: ..."
std::string how_to_get(const std::string& name);

}  // namespace gilscope
