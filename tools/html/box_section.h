// The page's sections on disturbances, the environment and the spec.
#pragma once

#include <string>

#include "tools/html/page.h"

namespace gilscope {

// What was lost, stolen, gated, changed and failed, in the text report's words, with every gate
// that a run hit.
std::string disturbances(const PageContent& page);
std::string environment(const PageContent& page);
std::string asked_for(const PageContent& page);

}  // namespace gilscope
