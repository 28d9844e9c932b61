// Adds up what a recording counts, for days: sums by CPU and by the threads' names, in bounded
// memory. No sum ever goes back, whatever threads and processes do: each place in the tracer's
// tables adds what it has grown by.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "userspace/live/lock_watch.h"
#include "userspace/live/reader.h"

namespace gilscope {

class Metrics : public RecordingReader {
 public:
  // Names of threads that have sums of their own, the first that come; all later ones share
  // "other". The same for pairs of them.
  static constexpr size_t kMostNames = 64, kMostPairs = 256;

  // Without `make_watch` nothing is derived from segments, and there are no such metrics.
  explicit Metrics(MakeLockWatch make_watch) : make_watch_(std::move(make_watch)) {}

  void segments(uint32_t process, std::span<const gilscope_segment> segments) override;
  void thread_ended(const LiveThread& thread) override;
  void process_ended(uint32_t place, const std::vector<CpuTrace>& cpus) override;

  // Takes what has been counted by now. Nothing is still to come that was before `settled_ns`.
  void collect(const LiveState& state, uint64_t settled_ns);
  // The file: `recorded_ns` since the window was opened, and what this program has used.
  std::string text(bool up, uint64_t recorded_ns, uint64_t own_cpu_ns) const;

 private:
  struct OfThread {
    uint64_t entered_ns = 0;  // which thread it is; 0: none
    std::vector<uint64_t> before;
  };
  struct OfProcess {
    std::map<int, std::vector<uint64_t>> before;  // by CPU
    std::unique_ptr<LockWatch> watch;
  };
  struct PairSum {
    uint64_t running_ns = 0, preempted_ns = 0, asleep_ns = 0, bounded_ns = 0;
  };
  using Sums = std::vector<uint64_t>;

  LockWatch* watch_of(uint32_t process);
  void take(const LiveThread& thread);
  void take(uint32_t place, const std::vector<CpuTrace>& cpus);
  void take(LockWatch& watch);
  std::string kept(const std::string& name);

  MakeLockWatch make_watch_;
  std::vector<OfThread> threads_;            // by slot
  std::map<uint32_t, OfProcess> processes_;  // by place

  std::map<int, Sums> cpus_;
  std::map<std::string, Sums> names_;
  std::map<std::string, uint64_t> waited_ns_;
  std::map<std::pair<std::string, std::string>, PairSum> pairs_;
  std::vector<uint64_t> handoff_buckets_;
  uint64_t handoff_sum_ns_ = 0, handoff_number_ = 0, handoffs_unseen_ = 0;
  std::vector<uint64_t> lost_;
  size_t running_processes_ = 0, running_threads_ = 0;
  std::optional<LiveProcess> first_;  // that was asked for
};

}  // namespace gilscope
