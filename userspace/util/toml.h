// toml++ as the kit uses it: without exceptions, and with bounds where the library has none.
#pragma once

#define TOML_EXCEPTIONS 0
// The library asserts what a text as short as "[=]" makes false, and reports that as an error right
// after; with NDEBUG it would tell the compiler to rely on it instead.
#undef NDEBUG
#define TOML_ASSERT(expression) static_assert(true)
// A spec needs a list, and no more.
#define TOML_MAX_NESTED_VALUES 8
#include <toml++/toml.h>

#include <string>

#include "userspace/util/result.h"

namespace gilscope {

// `origin` names the text in errors, which give the line.
Result<toml::table> parse_toml(const std::string& text, const std::string& origin);

}  // namespace gilscope
