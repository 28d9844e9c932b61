// The perf events of one thread (perf_event_open(2)): the thread opens them on itself and reads
// them when its work is done. The counts, or why there are none, go to memory that the worker
// shares with its parent.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "userspace/base/fd.h"
#include "userspace/report/facts.h"

namespace gilscope {

struct ThreadPerf;

struct PerfCounter {
  const char* name;  // in reports
  uint32_t type;     // PERF_TYPE_*
  uint64_t config;
  std::optional<uint64_t> ThreadPerf::*value;
};
inline constexpr size_t kPerfCounters = 5;
std::span<const PerfCounter, kPerfCounters> perf_counters();

// For each counter 0, or the reason why a thread lacks it: an errno or kNotAlwaysOn.
using PerfErrors = std::array<int, kPerfCounters>;
// The counter was multiplexed with others: its count covers only part of the time, so it is
// dropped.
inline constexpr int kNotAlwaysOn = -1;

struct PerfReading {
  std::array<uint64_t, kPerfCounters> counts;
  PerfErrors errors;
};

// Counters that are scheduled together, so that their ratios are meaningful. Hardware and software
// counters form separate groups, because software counters are always on.
class PerfGroup {
 public:
  // Opens the calling thread's counters; start() starts them.
  explicit PerfGroup(bool hardware);

  void start();
  void read(PerfReading& reading) const;

  // Parses what read(2) returns for a group: the number of counters, the times enabled and running,
  // and the counts.
  static void take(std::span<const uint64_t> words, std::span<const size_t> counters,
                   PerfReading& reading);

 private:
  std::vector<Fd> events_;        // the leader first
  std::vector<size_t> counters_;  // their indices in perf_counters()
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

// Raises this process's limit of descriptors to the hard limit: every counter of every thread takes
// one.
void raise_descriptor_limit();

ThreadPerf to_report(const PerfReading& reading);
// The report's facts about the counters: "perf.cycles" and so on, true, or null with the reason.
Facts perf_facts(const PerfErrors& errors);

}  // namespace gilscope
