#include "userspace/eval/programs.h"

#include <algorithm>

#include "userspace/eval/object.h"

namespace gilscope {
namespace {

constexpr uint8_t kGreater = static_cast<uint8_t>(Comparison::greater);

// Appends instructions, numbers the constants, and fills in forward jumps once their target is
// known.
class Assembler {
 public:
  using Place = uint8_t;

  Place here() const { return static_cast<Place>(code_.instructions.size()); }

  Place add(Opcode opcode, uint8_t argument = 0) {
    code_.instructions.push_back({opcode, argument});
    return static_cast<Place>(here() - 1);
  }
  void constant(int64_t value) {
    auto at = std::ranges::find(code_.constants, value);
    const auto index = static_cast<uint8_t>(at - code_.constants.begin());
    if (at == code_.constants.end()) code_.constants.push_back(value);
    add(Opcode::load_constant, index);
  }
  void local(uint8_t index) { add(Opcode::load_fast, index); }
  void store(uint8_t index) { add(Opcode::store_fast, index); }

  // if not (local > 0): jump, to where land() is called later.
  Place unless_positive(uint8_t index) {
    local(index);
    constant(0);
    add(Opcode::compare, kGreater);
    return add(Opcode::pop_jump_if_false);
  }
  void land(Place jump) { code_.instructions[jump].argument = here(); }

  // local -= 1
  void decrement(uint8_t index) {
    local(index);
    constant(1);
    add(Opcode::inplace_subtract);
    store(index);
  }

  Code finish(uint8_t result, int locals, int stack) {
    local(result);
    add(Opcode::return_value);
    code_.locals = locals;
    code_.stack = stack;
    return std::move(code_);
  }

  Code& code() { return code_; }

 private:
  Code code_;
};

}  // namespace

Code counting_loop() {
  Assembler a;
  a.add(Opcode::setup_loop);
  const auto loop = a.here();
  const auto end = a.unless_positive(0);
  a.decrement(0);
  a.add(Opcode::jump_absolute, loop);
  a.land(end);
  a.add(Opcode::pop_block);
  return a.finish(0, 1, 2);
}

Code calling_loop(std::function<void()> native) {
  Assembler a;
  a.code().natives = {[native = std::move(native)] {
    native();
    return int64_t{0};
  }};
  a.add(Opcode::setup_loop);
  const auto loop = a.here();
  const auto end = a.unless_positive(0);
  a.add(Opcode::call_native, 0);
  a.add(Opcode::pop_top);
  a.decrement(0);
  a.add(Opcode::jump_absolute, loop);
  a.land(end);
  a.add(Opcode::pop_block);
  return a.finish(0, 1, 2);
}

Code serving_loop(std::function<int64_t()> receive, std::function<int64_t()> answer) {
  Assembler a;
  a.code().natives = {std::move(receive), std::move(answer)};
  a.add(Opcode::setup_loop);
  const auto loop = a.here();
  a.add(Opcode::call_native, 0);
  const auto end = a.add(Opcode::pop_jump_if_false);
  a.add(Opcode::call_native, 1);
  a.add(Opcode::pop_top);
  a.add(Opcode::jump_absolute, loop);
  a.land(end);
  a.add(Opcode::pop_block);
  return a.finish(0, 1, 2);
}

Code bursting_loop(std::function<int64_t()> native) {
  constexpr uint8_t kBurst = 0, kLeft = 1;
  Assembler a;
  a.code().natives = {std::move(native)};
  a.add(Opcode::setup_loop);
  const auto loop = a.here();
  a.add(Opcode::call_native, 0);
  const auto end = a.add(Opcode::pop_jump_if_false);
  a.local(kBurst);
  a.store(kLeft);
  a.add(Opcode::setup_loop);
  const auto inner = a.here();
  const auto over = a.unless_positive(kLeft);
  a.decrement(kLeft);
  a.add(Opcode::jump_absolute, inner);
  a.land(over);
  a.add(Opcode::pop_block);
  a.add(Opcode::jump_absolute, loop);
  a.land(end);
  a.add(Opcode::pop_block);
  return a.finish(kBurst, 2, 2);
}

Code pi_digits() {
  // n digits are still to come; the list holds the rest of pi in the mixed base 1/3, 2/5, 3/7 ...
  enum Local : uint8_t { n, length, list, i, carry, divisor, result, kLocals };
  using enum Opcode;
  Assembler a;
  // length = 10 * n // 3
  a.constant(10);
  a.local(n);
  a.add(binary_multiply);
  a.constant(3);
  a.add(floor_divide);
  a.store(length);
  // list = [2] * length
  a.constant(2);
  a.local(length);
  a.add(repeat_list);
  a.store(list);
  a.add(setup_loop);
  const auto digit = a.here();
  const auto done = a.unless_positive(n);
  a.constant(0);
  a.store(carry);
  a.local(length);
  a.store(i);
  a.add(setup_loop);
  const auto place = a.here();
  const auto out = a.unless_positive(i);
  // carry = 10 * list[i - 1] + carry * i
  a.constant(10);
  a.local(list);
  a.local(i);
  a.constant(1);
  a.add(inplace_subtract);
  a.add(subscript);
  a.add(binary_multiply);
  a.local(carry);
  a.local(i);
  a.add(binary_multiply);
  a.add(binary_add);
  a.store(carry);
  // divisor = 2 * i - 1
  a.constant(2);
  a.local(i);
  a.add(binary_multiply);
  a.constant(1);
  a.add(inplace_subtract);
  a.store(divisor);
  // list[i - 1] = carry % divisor; i -= 1
  a.local(carry);
  a.local(divisor);
  a.add(modulo);
  a.local(list);
  a.decrement(i);
  a.local(i);
  a.add(store_subscript);
  // carry //= divisor
  a.local(carry);
  a.local(divisor);
  a.add(floor_divide);
  a.store(carry);
  a.add(jump_absolute, place);
  a.land(out);
  a.add(pop_block);
  // list[0] = carry % 10
  a.local(carry);
  a.constant(10);
  a.add(modulo);
  a.local(list);
  a.constant(0);
  a.add(store_subscript);
  // result = (result * 10 + carry // 10) % 10**9: a digit of 10 carries by itself
  a.local(result);
  a.constant(10);
  a.add(binary_multiply);
  a.local(carry);
  a.constant(10);
  a.add(floor_divide);
  a.add(binary_add);
  a.constant(1'000'000'000);
  a.add(modulo);
  a.store(result);
  a.decrement(n);
  a.add(jump_absolute, digit);
  a.land(done);
  a.add(pop_block);
  return a.finish(result, kLocals, 4);
}

}  // namespace gilscope
