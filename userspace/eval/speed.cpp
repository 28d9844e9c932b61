#include "userspace/eval/speed.h"

#include <algorithm>
#include <memory>
#include <vector>

#include "userspace/base/time.h"
#include "userspace/eval/interpreter.h"
#include "userspace/eval/programs.h"
#include "userspace/gil/policies.h"

namespace gilscope {
namespace {

constexpr int64_t kIterations = 200'000;
constexpr int kOpcodesAnIteration = 9;
constexpr int kRounds = 15;

// One thread alone under check-interval:100. As in a run, its uncontended releases and acquisitions
// count.
double one_round_ns(const Code& code) {
  gilscope_slot slot{};
  GilThread thread(slot);
  const auto gil = std::move(*make_gil("check-interval:100"));
  Interpreter interpreter(*gil, thread);
  gil->acquire(thread);
  // The thread's own time, without what others take of the CPU meanwhile.
  const uint64_t start = clock_ns(CLOCK_THREAD_CPUTIME_ID);
  interpreter.run(code, {&kIterations, 1});
  const uint64_t spent = clock_ns(CLOCK_THREAD_CPUTIME_ID) - start;
  gil->release(thread);
  return static_cast<double>(spent);
}

}  // namespace

LoopSpeed measure_loop() {
  const Code code = counting_loop();
  std::vector<double> rounds;
  for (int i = 0; i < kRounds; ++i) rounds.push_back(one_round_ns(code));
  std::ranges::nth_element(rounds, rounds.begin() + kRounds / 2);
  double ns_per_iteration = rounds[kRounds / 2] / static_cast<double>(kIterations);
  // Three counted opcodes an iteration, and a check every 101 of them.
  return {.ns_per_opcode = ns_per_iteration / kOpcodesAnIteration,
          .ns_per_iteration = ns_per_iteration,
          .check_every_ns = ns_per_iteration * 101 / 3};
}

}  // namespace gilscope
