// SHA-256, in hexadecimal.
#pragma once

#include <string>
#include <string_view>

namespace gilscope {

std::string sha256(std::string_view text);

}  // namespace gilscope
