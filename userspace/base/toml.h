// toml++ without exceptions, and with bounds where the library has none.
#pragma once

#define TOML_EXCEPTIONS 0
// The library asserts a condition that the text "[=]" violates, and then reports it as an error.
// With NDEBUG, it would tell the compiler to assume the condition instead.
#undef NDEBUG
#define TOML_ASSERT(expression) static_assert(true)
// A spec nests no deeper than a list.
#define TOML_MAX_NESTED_VALUES 8
#include <toml++/toml.h>

#include <string>

#include "userspace/base/result.h"

namespace gilscope {

// Errors name the text by `origin` and give the line.
Result<toml::table> parse_toml(const std::string& text, const std::string& origin);

}  // namespace gilscope
