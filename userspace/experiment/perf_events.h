// The kernel's perf events of one thread (perf_event_open(2)), opened by the thread on itself and
// read by it when its work is done. What a counter came to, or why there is none, goes to memory
// that the worker shares with its parent.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "userspace/report/model.h"
#include "userspace/util/fd.h"

namespace gilscope {

struct PerfCounter {
  const char* name;  // in reports
  uint32_t type;     // PERF_TYPE_*
  uint64_t config;
  std::optional<uint64_t> ThreadPerf::*value;
};
inline constexpr size_t kPerfCounters = 5;
std::span<const PerfCounter, kPerfCounters> perf_counters();

// For each counter 0, or why a thread does not have it: an errno, or kNotAlwaysOn.
using PerfErrors = std::array<int, kPerfCounters>;
// Others used the hardware too: the count is of a part of the time, and is not passed off as one.
inline constexpr int kNotAlwaysOn = -1;

struct PerfReading {
  std::array<uint64_t, kPerfCounters> counts;
  PerfErrors errors;
};

// Counters that are on together or not at all, so that their ratios mean something. Hardware and
// software stand apart: software counters are always on.
class PerfGroup {
 public:
  // Of the calling thread; they do not count yet.
  explicit PerfGroup(bool hardware);

  void start();
  void read(PerfReading& reading) const;

  // What read(2) gives of a group of these counters: how many, times enabled and running, counts.
  static void take(std::span<const uint64_t> words, std::span<const size_t> counters,
                   PerfReading& reading);

 private:
  std::vector<Fd> events_;        // the leader first
  std::vector<size_t> counters_;  // of each
  PerfErrors errors_{};
};

// All counters of the calling thread.
class PerfEvents {
 public:
  void start() {
    hardware_.start();
    software_.start();
  }
  void read(PerfReading& reading) const {
    software_.read(reading);
    hardware_.read(reading);
  }

 private:
  PerfGroup hardware_{true}, software_{false};
};

// Each counter of each thread is a descriptor: lets this process have as many as it may.
void raise_descriptor_limit();

ThreadPerf to_report(const PerfReading& reading);
// What the report says of the counters: "perf.cycles" and so on, true or null with the reason.
Facts perf_facts(const PerfErrors& errors);

}  // namespace gilscope
