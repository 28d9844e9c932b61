// The spec of a recording: the command, as TOML.
#pragma once

#include <string>
#include <vector>

namespace gilscope {

// `lock`: as it was asked for; empty: the interpreter's.
std::string recording_spec(const std::string& command, const std::vector<std::string>& argv,
                           const std::string& trace, const std::string& lock);

}  // namespace gilscope
