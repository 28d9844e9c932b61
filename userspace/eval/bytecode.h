// The eval loop's instructions, after CPython 2.7's. A check-interval GIL looks at its ticker at
// counted opcodes: those that 2.7 ends with DISPATCH are counted, those with FAST_DISPATCH are not
// (Python/ceval.c).
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

namespace gilscope {

enum class Opcode : uint8_t {
  load_fast,          // push local [argument]
  load_constant,      // push constant [argument]
  store_fast,         // pop into local [argument]
  pop_top,            // pop
  compare,            // counted: pop two, push the result of Comparison [argument]
  inplace_subtract,   // counted: pop two, push the difference
  binary_add,         // counted: pop two, push the sum
  binary_multiply,    // counted: pop two, push the product
  floor_divide,       // counted; by 0: ends the process, for want of exceptions
  modulo,             // counted; likewise
  repeat_list,        // counted: pop a count, pop an integer, push a list that repeats it
  subscript,          // counted: pop an index, pop a list, push the element
  store_subscript,    // counted: pop an index, pop a list, pop an integer that becomes the element
  pop_jump_if_false,  // pop a boolean; jump to instruction [argument] if it is false
  jump_absolute,      // counted, and a back edge: to instruction [argument]
  setup_loop,         // counted: enter a loop
  pop_block,          // counted: leave the loop
  call_native,        // counted, checked like a back edge: push the result of native [argument]
  return_value,       // pop the result and end the program
};

struct Instruction {
  Opcode opcode;
  uint8_t argument = 0;
};

// One function's code. Constants and locals are integers; `natives` are called with the GIL held.
struct Code {
  std::vector<Instruction> instructions;
  std::vector<int64_t> constants;
  int locals = 0;
  int stack = 0;  // its greatest depth
  std::vector<std::function<int64_t()>> natives;
};

}  // namespace gilscope
