// A fact about the box as people read it.
#pragma once

#include <string>

#include "userspace/report/model.h"

namespace gilscope {

// "unknown" where it could not be had; shortened where it is too long to be read.
std::string text_of(const Fact& fact);
std::string whole_text_of(const Fact& fact);
std::string shortened(const std::string& text);

// A setting that numbers depend on and that only somebody or something changes: not load, memory,
// clocks and the like, which always move. `key` is one of environment.before.
bool is_setting(const std::string& key);

}  // namespace gilscope
