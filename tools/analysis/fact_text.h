// Facts about the machine as text for people.
#pragma once

#include <string>

#include "userspace/report/facts.h"

namespace gilscope {

// "unknown" for a null fact. text_of() shortens long texts, full_text_of() does not.
std::string text_of(const Fact& fact);
std::string full_text_of(const Fact& fact);
std::string shortened(const std::string& text);

// Whether a key of environment.before is a setting, which affects the numbers and changes only when
// something interferes, unlike load, memory, clocks and the like.
bool is_setting(const std::string& key);

}  // namespace gilscope
