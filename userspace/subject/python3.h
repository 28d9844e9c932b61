// CPython from 3.6 on.
#pragma once

#include <span>
#include <string_view>

#include "userspace/base/result.h"
#include "userspace/subject/look.h"

namespace gilscope {

// The symbols that help.
std::span<const std::string_view> python3_symbols();

// Fills in the subject's GILs, or that it has none.
Status find_python3(Look& look, const LanguageVersion& version, Subject& subject);

}  // namespace gilscope
