// A workload that lasts as long as its parameter `seconds` says, and not until some work is done.
#pragma once

#include "userspace/base/time.h"
#include "userspace/workload/workload.h"

namespace gilscope {

class TimedWorkload : public Workload {
 public:
  std::optional<uint64_t> bound_ns() const override { return seconds_ns_; }
  std::optional<uint64_t> main_sleep_ns() const override { return seconds_ns_; }

 protected:
  explicit TimedWorkload(const Parameters& parameters)
      : Workload(parameters), seconds_ns_(parameters.number("seconds")) {}

  // The end of a run that begins now.
  uint64_t end_ns() const { return monotonic_ns() + seconds_ns_; }

 private:
  const uint64_t seconds_ns_;
};

}  // namespace gilscope
