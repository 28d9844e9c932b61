// What lasts as long as it is told to, by its parameter `seconds`, and not until some work is done.
#pragma once

#include "userspace/util/time.h"
#include "userspace/workload/workload.h"

namespace gilscope {

class TimedWorkload : public Workload {
 public:
  bool bounded_by_time() const override { return true; }
  std::optional<uint64_t> bound_ns() const override { return seconds_ns_; }
  std::optional<uint64_t> main_sleep_ns() const override { return seconds_ns_; }

 protected:
  explicit TimedWorkload(const Parameters& parameters)
      : Workload(parameters), seconds_ns_(parameters.number("seconds")) {}

  static Parameter seconds_parameter(uint64_t fallback_ns) {
    constexpr uint64_t kMillisecond = 1'000'000, kDay = 86'400'000'000'000;
    return duration_parameter("seconds", fallback_ns, kMillisecond, kDay, true);
  }

  // Of one that begins now.
  uint64_t end_ns() const { return monotonic_ns() + seconds_ns_; }

 private:
  const uint64_t seconds_ns_;
};

}  // namespace gilscope
