// What a report says of the box, of what disturbed it, and of what was asked for.
#pragma once

#include <string>

#include "tools/html/page.h"

namespace gilscope {

// What was lost, stolen, gated, changed and failed, in the text report's own words, and every gate
// that a run hit.
std::string disturbances(const PageContent& page);
std::string environment(const PageContent& page);
std::string asked_for(const PageContent& page);

}  // namespace gilscope
