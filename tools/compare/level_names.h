// Names that tell levels apart where there is no room for all of them: what all have in common is
// left out, at the ends and between words.
#pragma once

#include <string>
#include <vector>

namespace gilscope {

// As they stand where each fits into `room`. "6.1.0-48" and "6.12.90+deb12" for
// "6.1.0-48-cloud-amd64" and "6.12.90+deb12-cloud-amd64". No two are the same if no two levels are.
std::vector<std::string> told_apart(const std::vector<std::string>& levels, size_t room);

}  // namespace gilscope
