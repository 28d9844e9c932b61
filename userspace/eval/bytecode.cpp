#include "userspace/eval/bytecode.h"

#include "userspace/eval/object.h"

namespace gilscope {
namespace {

constexpr uint8_t kGreater = static_cast<uint8_t>(Comparison::greater);
constexpr uint8_t kZero = 0, kOne = 1;  // indices of constants
constexpr uint8_t kLoop = 1;            // instruction after setup_loop

}  // namespace

Code counting_loop() {
  using enum Opcode;
  constexpr uint8_t kEnd = 10;
  return Code{.instructions = {{setup_loop},
                               {load_fast, 0},
                               {load_constant, kZero},
                               {compare, kGreater},
                               {pop_jump_if_false, kEnd},
                               {load_fast, 0},
                               {load_constant, kOne},
                               {inplace_subtract},
                               {store_fast, 0},
                               {jump_absolute, kLoop},
                               {pop_block},
                               {load_fast, 0},
                               {return_value}},
              .constants = {0, 1},
              .locals = 1,
              .stack = 2,
              .natives = {}};
}

Code calling_loop(std::function<void()> native) {
  using enum Opcode;
  constexpr uint8_t kEnd = 11;
  Code code = counting_loop();
  code.instructions = {{setup_loop},
                       {load_fast, 0},
                       {load_constant, kZero},
                       {compare, kGreater},
                       {pop_jump_if_false, kEnd},
                       {call_native, 0},
                       {load_fast, 0},
                       {load_constant, kOne},
                       {inplace_subtract},
                       {store_fast, 0},
                       {jump_absolute, kLoop},
                       {pop_block},
                       {load_fast, 0},
                       {return_value}};
  code.natives = {std::move(native)};
  return code;
}

}  // namespace gilscope
