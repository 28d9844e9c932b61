// UUIDs in the kernel's notation: the ids of reports and of boots.
#pragma once

#include <string>
#include <string_view>

#include "userspace/base/result.h"

namespace gilscope {

inline bool is_uuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    const bool digit = std::string_view("0123456789abcdef").find(text[i]) != text.npos;
    if (dash ? text[i] != '-' : !digit) return false;
  }
  return true;
}

// A new one, of the kernel's random bits.
Result<std::string> new_uuid();

}  // namespace gilscope
