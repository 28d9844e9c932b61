// The flags that say what is compared with what: `compare` and `html` have the same.
#pragma once

#include "tools/compare/comparison.h"

namespace CLI {
class App;
}

namespace gilscope {

// `options` must outlive the parsing.
void add_sides(CLI::App& command, ComparisonOptions& options);

}  // namespace gilscope
