// The derived numbers for scripts: `gilscope show --json`. The report itself holds the raw ones.
#pragma once

#include <string>

#include "userspace/report/model.h"

namespace gilscope {

std::string summary_json(const Report& report);

}  // namespace gilscope
