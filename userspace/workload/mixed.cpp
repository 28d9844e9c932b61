// mixed:n=1k,compute=1k,block=100us[,seconds=S]: each measured thread computes `compute` iterations
// of counting and then makes a call that blocks for `block`, the GIL released, n times; `seconds`
// ends it earlier.
#include <chrono>
#include <thread>

#include "userspace/base/time.h"
#include "userspace/eval/programs.h"
#include "userspace/workload/tasks.h"
#include "userspace/workload/workload.h"

namespace gilscope {
namespace {

class Mixed : public Workload {
 public:
  explicit Mixed(const Parameters& parameters)
      : Workload(parameters),
        n_(parameters.number("n")),
        compute_(static_cast<int64_t>(parameters.number("compute"))),
        block_ns_(parameters.number("block")),
        seconds_ns_(parameters.optional_number("seconds")) {}

  std::optional<uint64_t> main_sleep_ns() const override { return seconds_ns_; }

  Status run(const WorkThread& thread) override {
    const uint64_t end = seconds_ns_ ? monotonic_ns() + *seconds_ns_ : UINT64_MAX;
    uint64_t left = n_;
    bool first = true;
    // The loop begins with the call, which at first has nothing to block for.
    const Code code = bursting_loop([&]() -> int64_t {
      if (!first) {
        AllowThreads allow(thread.interpreter.gil(), thread.interpreter.thread());
        std::this_thread::sleep_for(std::chrono::nanoseconds(block_ns_));
      }
      if (!first) thread.count_operation();
      first = false;
      if (left == 0 || monotonic_ns() >= end) return 0;
      --left;
      return 1;
    });
    thread.interpreter.run(code, {&compute_, 1});
    return {};
  }

  std::optional<Work> work(const std::string& policy) const override {
    // A sleep ends late by the timer slack of 50 us and a wakeup.
    constexpr double kLate = 80e-6;
    const double n = static_cast<double>(n_);
    return Work{.computing_s = seconds_of_counting(n * static_cast<double>(compute_), policy),
                .blocked_s = n * (static_cast<double>(block_ns_) / 1e9 + kLate),
                .turns = n};
  }
  std::optional<uint64_t> bound_ns() const override { return seconds_ns_; }

 private:
  const uint64_t n_;
  const int64_t compute_;
  const uint64_t block_ns_;
  const std::optional<uint64_t> seconds_ns_;
};

}  // namespace

std::unique_ptr<Workload> make_mixed(const Parameters& parameters) {
  return std::make_unique<Mixed>(parameters);
}

}  // namespace gilscope
