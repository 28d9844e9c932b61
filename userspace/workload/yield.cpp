#include "userspace/workload/yield.h"

#include <sched.h>

#include "userspace/eval/programs.h"
#include "userspace/util/time.h"

namespace gilscope {
namespace {

constexpr uint64_t kDay = 86'400'000'000'000;

class Yield : public Workload {
 public:
  explicit Yield(const Parameters& parameters)
      : Workload(parameters), seconds_ns_(parameters.number("seconds")) {}

  bool bounded_by_time() const override { return true; }
  double expected_s(size_t) const override { return static_cast<double>(seconds_ns_) / 1e9; }
  std::optional<uint64_t> main_sleep_ns() const override { return seconds_ns_; }

  Status run(const WorkThread& thread) override {
    const uint64_t end_ns = monotonic_ns() + seconds_ns_;
    const auto give_up_the_core = [&]() -> int64_t {
      AllowThreads allow(thread.interpreter.gil(), thread.interpreter.thread());
      ::sched_yield();
      return monotonic_ns() < end_ns;
    };
    const auto count = [&]() -> int64_t {
      thread.did_one();
      return 1;
    };
    thread.interpreter.run(serving_loop(give_up_the_core, count), {});
    return {};
  }

 private:
  const uint64_t seconds_ns_;
};

}  // namespace

std::vector<Parameter> yield_parameters() {
  return {duration_parameter("seconds", 1'000'000'000, 1'000'000, kDay, true)};
}
std::unique_ptr<Workload> make_yield(const Parameters& parameters) {
  return std::make_unique<Yield>(parameters);
}

}  // namespace gilscope
