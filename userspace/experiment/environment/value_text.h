// A fact's value in words, as `gilscope env` prints it.
#pragma once

#include <string>

#include "userspace/report/model.h"

namespace gilscope {

std::string value_text(const Fact& fact);  // "-" where it could not be had

}  // namespace gilscope
