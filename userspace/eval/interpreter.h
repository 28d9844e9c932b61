// The eval loop: runs bytecode with the GIL held, and looks at the eval-breaker word where the
// CPython of the policy looks.
#pragma once

#include <cstdint>
#include <span>

#include "userspace/eval/bytecode.h"
#include "userspace/gil/gil.h"

namespace gilscope {

class Interpreter {
 public:
  Interpreter(Gil& gil, GilThread& thread) : gil_(gil), thread_(thread) {}

  // The calling thread holds the GIL before and after. Returns the value of return_value.
  int64_t run(const Code& code, std::span<const int64_t> arguments);

  Gil& gil() { return gil_; }
  GilThread& thread() { return thread_; }

 private:
  template <Gil::Checks checks>
  int64_t evaluate(const Code& code, std::span<const int64_t> arguments);

  Gil& gil_;
  GilThread& thread_;
};

}  // namespace gilscope
