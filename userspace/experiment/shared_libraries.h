// The shared libraries that this program needs: none where it is a static one, which runs wherever
// it is copied to.
#pragma once

#include <string>
#include <vector>

namespace gilscope {

// Their file names, in the order in which they were loaded, the loader itself included.
std::vector<std::string> shared_libraries();

}  // namespace gilscope
