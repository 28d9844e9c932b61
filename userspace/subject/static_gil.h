// The GIL of CPython 3.6: static variables of ceval.c rather than one structure.
#pragma once

#include <optional>

#include "userspace/subject/look.h"

namespace gilscope {

// By the names of the variables, in a build that has not been stripped. Adds nothing to the subject
// where the names are not there; fails where there is no GIL yet.
Status find_static_gil(Look& look, const LanguageVersion& version, Subject& subject);

// By the condition on which threads wait: the last holder and the number of switches lie behind it.
std::optional<GilPlace> static_gil_at(Look& look, const LanguageVersion& version,
                                      uint64_t condition);

}  // namespace gilscope
