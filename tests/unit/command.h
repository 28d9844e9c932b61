// Calls a subcommand as main() does.
#pragma once

#include <string>
#include <vector>

#include "userspace/base/result.h"

namespace CLI {
class App;
}

namespace gilscope {

struct Outcome {
  int exit = 0;
  std::string out, err;  // what it printed; err includes errors of the command line
};

using AddCommand = void (*)(CLI::App&, Exit&);

// `arguments` begin with the command's name.
Outcome run_command(AddCommand add, std::vector<std::string> arguments);

}  // namespace gilscope
