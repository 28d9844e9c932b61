// The eval loop's instructions, after CPython 2.7's. Whether an opcode is counted decides where a
// check-interval GIL looks at its ticker: those that 2.7 ends with DISPATCH are counted, those with
// FAST_DISPATCH are not (Python/ceval.c).
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
  compare,            // counted: pop two, push what Comparison [argument] says of them
  inplace_subtract,   // counted: pop two, push the difference
  binary_add,         // counted: pop two, push ...
  binary_multiply,    // counted
  floor_divide,       // counted; by 0: ends the process, there being no exceptions
  modulo,             // counted; likewise
  repeat_list,        // counted: pop a count, pop an integer, push a list of it so many times
  subscript,          // counted: pop an index, pop a list, push the element
  store_subscript,    // counted: pop an index, pop a list, pop an integer that becomes the element
  pop_jump_if_false,  // pop a boolean; jump to instruction [argument] if it is false
  jump_absolute,      // counted, and a back edge: to instruction [argument]
  setup_loop,         // counted: enter a loop
  pop_block,          // counted: leave it
  call_native,        // counted, and checked like a back edge: push what native [argument] returns
  return_value,       // pop, and end the program with it
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
  int stack = 0;  // the deepest that it gets
  std::vector<std::function<int64_t()>> natives;
};

}  // namespace gilscope
