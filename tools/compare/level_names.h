// Names that tell levels apart where there is no room for the whole ones: the words that all have
// in common at either end are left out.
#pragma once

#include <string>
#include <vector>

namespace gilscope {

// Returns the levels unchanged where each fits into `room`; otherwise "6.1.0-48" and
// "6.12.90+deb12" for "6.1.0-48-cloud-amd64" and "6.12.90+deb12-cloud-amd64". Different levels keep
// different names.
std::vector<std::string> distinct_names(const std::vector<std::string>& levels, size_t room);

}  // namespace gilscope
