#include "userspace/workload/yield.h"

#include <sched.h>

#include "userspace/eval/programs.h"
#include "userspace/workload/timed.h"

namespace gilscope {
namespace {

class Yield : public TimedWorkload {
 public:
  explicit Yield(const Parameters& parameters) : TimedWorkload(parameters) {}

  static std::vector<Parameter> parameters() { return {seconds_parameter(1'000'000'000)}; }

  Status run(const WorkThread& thread) override {
    const uint64_t end = end_ns();
    const auto give_up_the_core = [&]() -> int64_t {
      AllowThreads allow(thread.interpreter.gil(), thread.interpreter.thread());
      ::sched_yield();
      return monotonic_ns() < end;
    };
    const auto count = [&]() -> int64_t {
      thread.did_one();
      return 1;
    };
    thread.interpreter.run(serving_loop(give_up_the_core, count), {});
    return {};
  }
};

}  // namespace

std::vector<Parameter> yield_parameters() {
  return Yield::parameters();
}
std::unique_ptr<Workload> make_yield(const Parameters& parameters) {
  return std::make_unique<Yield>(parameters);
}

}  // namespace gilscope
