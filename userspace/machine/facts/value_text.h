// A fact's value as text, as `gilscope env` prints it.
#pragma once

#include <string>

#include "userspace/report/facts.h"

namespace gilscope {

std::string value_text(const Fact& fact);  // "-" for a null fact

}  // namespace gilscope
