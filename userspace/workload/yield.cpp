// yield:seconds=1[,background=0][,task=count]: each measured thread gives up its CPU and the GIL,
// over and over: os.sched_yield, which releases the GIL since CPython 3.12 (gh-96078).
//
// With two threads a CPU and no lock each call is a switch and little else: nobody sleeps and
// nobody is woken, which makes more segments than any other workload.
#include <sched.h>

#include "userspace/eval/programs.h"
#include "userspace/workload/timed.h"

namespace gilscope {
namespace {

class Yield : public TimedWorkload {
 public:
  explicit Yield(const Parameters& parameters) : TimedWorkload(parameters) {}

  Status run(const WorkThread& thread) override {
    const uint64_t end = end_ns();
    const auto give_up_the_cpu = [&]() -> int64_t {
      AllowThreads allow(thread.interpreter.gil(), thread.interpreter.thread());
      ::sched_yield();
      return monotonic_ns() < end;
    };
    const auto count = [&]() -> int64_t {
      thread.count_operation();
      return 1;
    };
    thread.interpreter.run(serving_loop(give_up_the_cpu, count), {});
    return {};
  }
};

}  // namespace

std::unique_ptr<Workload> make_yield(const Parameters& parameters) {
  return std::make_unique<Yield>(parameters);
}

}  // namespace gilscope
