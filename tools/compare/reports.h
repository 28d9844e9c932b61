// Reads the reports of a comparison, and gives each argument a name of its own.
#pragma once

#include <string>
#include <vector>

#include "tools/compare/compared_report.h"

namespace gilscope {

Result<std::vector<ComparedReport>> read_reports(const std::vector<std::string>& arguments);

}  // namespace gilscope
