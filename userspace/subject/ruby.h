// Ruby 3.1 and 3.3: a mutex, the running thread and a list of those that wait, each of which has a
// condition of its own. Found by walking from the VM, which a symbol names or its contents do.
#pragma once

#include <span>
#include <string_view>

#include "userspace/base/result.h"
#include "userspace/subject/look.h"

namespace gilscope {

// The symbols that help.
std::span<const std::string_view> ruby_symbols();

// Fills in the subject's GILs: the main ractor's, then those of other ractors.
Status find_ruby(Look& look, const LanguageVersion& version, Subject& subject);

}  // namespace gilscope
