// The page's sections on disturbances, the environment and the spec.
#pragma once

#include <string>

#include "tools/html/page.h"

namespace gilscope {

// What was lost, stolen, disturbed, changed and failed, in the text report's words, with every
// disturbance limit that a run hit.
std::string disturbances(const PageContent& page);
std::string environment(const PageContent& page);
std::string spec_section(const PageContent& page);

}  // namespace gilscope
