#include "userspace/workload/compute.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include "userspace/eval/programs.h"
#include "userspace/util/time.h"
#include "userspace/workload/tasks.h"

namespace gilscope {
namespace {

constexpr uint64_t kDay = 86'400'000'000'000, kSecond = 1'000'000'000;

class Throughput : public Workload {
 public:
  explicit Throughput(const Parameters& parameters)
      : Workload(parameters), task_(parameters.word("task")), n_(parameters.number("n")) {}

  Status run(const WorkThread& thread) override {
    Task task(task_, thread.interpreter);
    for (uint64_t i = 0; i < n_; ++i) {
      task.once();
      thread.did_one();
    }
    return {};
  }

  std::optional<Work> work(const std::string& policy) const override {
    const double seconds = static_cast<double>(n_) * seconds_of(task_, policy);
    if (releases_the_gil(task_)) {
      return Work{.released_s = seconds, .turns = static_cast<double>(n_)};
    }
    return Work{.computing_s = seconds};
  }

 private:
  const std::string task_;
  const uint64_t n_;
};

class Native : public Workload {
 public:
  explicit Native(const Parameters& parameters)
      : Workload(parameters),
        n_(static_cast<int64_t>(parameters.number("n"))),
        length_ns_(parameters.number("length")) {}

  Status run(const WorkThread& thread) override {
    const Code code = calling_loop([this, &thread] {
      // CPU time, so that a thread that is preempted in the call has not done less in it.
      const uint64_t end = clock_ns(CLOCK_THREAD_CPUTIME_ID) + length_ns_;
      while (clock_ns(CLOCK_THREAD_CPUTIME_ID) < end) {
      }
      thread.did_one();
    });
    thread.interpreter.run(code, {&n_, 1});
    return {};
  }

  std::optional<Work> work(const std::string&) const override {
    return Work{.computing_s = static_cast<double>(n_) * static_cast<double>(length_ns_) / 1e9};
  }

 private:
  const int64_t n_;
  const uint64_t length_ns_;
};

class Mixed : public Workload {
 public:
  explicit Mixed(const Parameters& parameters)
      : Workload(parameters),
        n_(parameters.number("n")),
        compute_(static_cast<int64_t>(parameters.number("compute"))),
        block_ns_(parameters.number("block")),
        seconds_ns_(parameters.optional_number("seconds")) {}

  bool bounded_by_time() const override { return seconds_ns_.has_value(); }
  std::optional<uint64_t> main_sleep_ns() const override { return seconds_ns_; }

  Status run(const WorkThread& thread) override {
    const uint64_t end = seconds_ns_ ? monotonic_ns() + *seconds_ns_ : UINT64_MAX;
    uint64_t left = n_;
    bool first = true;
    // The loop begins with the call: the first time there is nothing to block for yet.
    const Code code = bursting_loop([&]() -> int64_t {
      if (!first) {
        AllowThreads allow(thread.interpreter.gil(), thread.interpreter.thread());
        std::this_thread::sleep_for(std::chrono::nanoseconds(block_ns_));
      }
      if (!first) thread.did_one();
      first = false;
      if (left == 0 || monotonic_ns() >= end) return 0;
      --left;
      return 1;
    });
    thread.interpreter.run(code, {&compute_, 1});
    return {};
  }

  std::optional<Work> work(const std::string& policy) const override {
    // A sleep ends later than it was asked to: by the timer slack of 50 us, and a wakeup.
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

std::vector<Parameter> throughput_parameters() {
  std::vector<std::string> tasks = task_names();
  std::ranges::swap(tasks[0], tasks[1]);  // pidigits, ccbench's first
  return {word_parameter("task", tasks, true), count_parameter("n", 100, 1, INT64_MAX, true)};
}
std::unique_ptr<Workload> make_throughput(const Parameters& parameters) {
  return std::make_unique<Throughput>(parameters);
}

std::vector<Parameter> native_parameters() {
  return {count_parameter("n", 20, 1, INT64_MAX, true),
          duration_parameter("length", 10'000'000, 1'000, kDay, true)};
}
std::unique_ptr<Workload> make_native(const Parameters& parameters) {
  return std::make_unique<Native>(parameters);
}

std::vector<Parameter> mixed_parameters() {
  return {count_parameter("n", 1'000, 1, INT64_MAX, true),
          count_parameter("compute", 1'000, 1, INT64_MAX, true),
          duration_parameter("block", 100'000, 1'000, 3600 * kSecond, true),
          duration_parameter("seconds", {}, 1, kDay)};
}
std::unique_ptr<Workload> make_mixed(const Parameters& parameters) {
  return std::make_unique<Mixed>(parameters);
}

}  // namespace gilscope
