// The shared libraries that this program needs: none if it is static, and so runs wherever it is
// copied.
#pragma once

#include <string>
#include <vector>

namespace gilscope {

// File names in loading order, including the dynamic loader's.
std::vector<std::string> shared_libraries();

}  // namespace gilscope
