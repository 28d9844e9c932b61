// The programs that workloads run in the eval loop.
#pragma once

#include <cstdint>
#include <functional>

#include "userspace/eval/bytecode.h"

namespace gilscope {

// while n > 0: n -= 1, for local 0; three counted opcodes an iteration, of nine.
Code counting_loop();

// counting_loop with a native call in each iteration.
Code calling_loop(std::function<void()> native);

// while receive(): answer()
Code serving_loop(std::function<int64_t()> receive, std::function<int64_t()> answer);

// while native(): i = burst; while i > 0: i -= 1, with the burst in local 0
Code bursting_loop(std::function<int64_t()> native);

// Digits of pi by the spigot of Rabinowitz and Wagon (American Mathematical Monthly 102, 1995), in
// 64-bit integers and one list, as pure Python would. Local 0 is the number of digits, the first of
// which is the 0 before the 3. Returns the last nine; the very last may still await a carry.
Code pi_digits();

}  // namespace gilscope
