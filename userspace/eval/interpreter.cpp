#include "userspace/eval/interpreter.h"

#include <vector>

#include "userspace/eval/object.h"
#include "userspace/eval/object_memory.h"

namespace gilscope {

int64_t Interpreter::run(const Code& code, std::span<const int64_t> arguments) {
  switch (gil_.checks()) {
    case Gil::Checks::counted_opcodes:
      return evaluate<Gil::Checks::counted_opcodes>(code, arguments);
    case Gil::Checks::back_edges:
      return evaluate<Gil::Checks::back_edges>(code, arguments);
  }
  return 0;
}

// Compiled once for each kind of check, so that neither pays for the other.
template <Gil::Checks checks>
int64_t Interpreter::evaluate(const Code& code, std::span<const int64_t> arguments) {
  constexpr bool kCounts = checks == Gil::Checks::counted_opcodes;
  constexpr auto relaxed = std::memory_order_relaxed;

  std::vector<Object*, ObjectAllocator<Object*>> constants, locals, stack(code.stack + 1);
  constants.reserve(code.constants.size());
  locals.reserve(static_cast<size_t>(code.locals));
  for (int64_t value : code.constants) constants.push_back(new_integer(value));
  for (int i = 0; i < code.locals; ++i) {
    locals.push_back(new_integer(i < static_cast<int>(arguments.size()) ? arguments[i] : 0));
  }
  Object* const yes = new_boolean(true);
  Object* const no = new_boolean(false);

  const Instruction* const first = code.instructions.data();
  const Instruction* next = first;
  Object** top = stack.data();  // the first free place
  std::atomic<int32_t>& word = gil_.breaker(thread_);

  // In the order of enum Opcode.
  static const void* const labels[] = {
      &&load_fast,        &&load_constant, &&store_fast,      &&pop_top,           &&compare,
      &&inplace_subtract, &&binary_add,    &&binary_multiply, &&floor_divide,      &&modulo,
      &&repeat_list,      &&subscript,     &&store_subscript, &&pop_jump_if_false, &&jump_absolute,
      &&setup_loop,       &&pop_block,     &&call_native,     &&return_value};
  uint8_t argument;

// The end of an opcode. FAST does not look at the word; COUNTED looks at a ticker only; CHECKED is
// COUNTED and also a place where CPython 3.10+ looks.
#define FAST                                          \
  do {                                                \
    argument = next->argument;                        \
    goto* labels[static_cast<int>((next++)->opcode)]; \
  } while (0)
#define COUNTED                               \
  do {                                        \
    if constexpr (kCounts) {                  \
      int32_t ticks = word.load(relaxed) - 1; \
      word.store(ticks, relaxed);             \
      if (ticks < 0) goto check;              \
    }                                         \
    FAST;                                     \
  } while (0)
#define CHECKED                                 \
  do {                                          \
    if constexpr (!kCounts) {                   \
      if (word.load(relaxed) != 0) [[unlikely]] \
        goto check;                             \
    }                                           \
    COUNTED;                                    \
  } while (0)

  // 2.7 comes to the head of its loop at the start and whenever the ticker has run out. There it
  // counts down once more before it looks, so a check comes every interval + 1 counted opcodes.
check:
  if constexpr (kCounts) {
    int32_t ticks = word.load(relaxed) - 1;
    word.store(ticks, relaxed);
    if (ticks < 0) gil_.checkpoint(thread_);
  } else {
    if (word.load(relaxed) != 0) gil_.checkpoint(thread_);
  }
  FAST;

load_fast:
  *top++ = retain(locals[argument]);
  FAST;

load_constant:
  *top++ = retain(constants[argument]);
  FAST;

store_fast : {
  Object* old = locals[argument];
  locals[argument] = *--top;
  drop(old);
  FAST;
}

pop_top:
  drop(*--top);
  FAST;

compare : {
  Object* right = *--top;
  Object* left = *--top;
  bool result = left->type->compare(left, right, static_cast<Comparison>(argument));
  *top++ = retain(result ? yes : no);
  drop(left);
  drop(right);
  COUNTED;
}

inplace_subtract : {
  Object* right = *--top;
  Object* left = *--top;
  *top++ = left->type->subtract(left, right);
  drop(left);
  drop(right);
  COUNTED;
}

#define BINARY(operation)                        \
  do {                                           \
    Object* right = *--top;                      \
    Object* left = *--top;                       \
    *top++ = left->type->operation(left, right); \
    drop(left);                                  \
    drop(right);                                 \
    COUNTED;                                     \
  } while (0)

binary_add:
  BINARY(add);

binary_multiply:
  BINARY(multiply);

floor_divide:
  BINARY(floor_divide);

modulo:
  BINARY(modulo);

repeat_list : {
  Object* count = *--top;
  Object* element = *--top;
  *top++ = new_list(integer_value(count), element);
  drop(element);
  drop(count);
  COUNTED;
}

subscript : {
  Object* index = *--top;
  Object* list = *--top;
  *top++ = list->type->item(list, integer_value(index));
  drop(list);
  drop(index);
  COUNTED;
}

store_subscript : {
  Object* index = *--top;
  Object* list = *--top;
  Object* value = *--top;
  list->type->set_item(list, integer_value(index), value);
  drop(value);
  drop(list);
  drop(index);
  COUNTED;
}

pop_jump_if_false : {
  Object* condition = *--top;
  if (condition == no || (condition != yes && !condition->type->truth(condition))) {
    next = first + argument;
  }
  drop(condition);
  FAST;
}

jump_absolute:
  next = first + argument;
  CHECKED;

setup_loop:
pop_block:
  COUNTED;

call_native:
  *top++ = new_integer(code.natives[argument]());
  CHECKED;

return_value:
  int64_t result = integer_value(*--top);
  drop(*top);
  for (Object* object : constants) drop(object);
  for (Object* object : locals) drop(object);
  drop(yes);
  drop(no);
  return result;

#undef BINARY
#undef FAST
#undef COUNTED
#undef CHECKED
}

}  // namespace gilscope
