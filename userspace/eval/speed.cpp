#include "userspace/eval/speed.h"

#include <algorithm>
#include <ctime>
#include <memory>
#include <vector>

#include "userspace/eval/interpreter.h"
#include "userspace/eval/programs.h"
#include "userspace/gil/check_interval.h"

namespace gilscope {
namespace {

constexpr int64_t kIterations = 200'000;
constexpr int kOpcodesAnIteration = 9;
constexpr int kRounds = 15;

// The thread's own time: what others take of the core meanwhile is not the loop's.
double cpu_ns() {
  timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
}

// One thread alone under check-interval:100, its uncontended releases and acquisitions included, as
// in a run.
double one_round_ns(const Code& code) {
  gilscope_slot slot{};
  GilThread thread(slot);
  auto gil = make_check_interval({});
  Interpreter interpreter(*gil, thread);
  gil->acquire(thread);
  double start = cpu_ns();
  interpreter.run(code, {&kIterations, 1});
  double spent = cpu_ns() - start;
  gil->release(thread);
  return spent;
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
