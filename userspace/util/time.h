// The time as reports write it.
#pragma once

#include <string>

namespace gilscope {

// Now, in UTC, after RFC 3339: "2026-01-31T09:30:00Z".
std::string utc_now();

}  // namespace gilscope
