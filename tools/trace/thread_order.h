// A run's segments sorted by thread, so that each thread's can be read at its own pace. Few are
// kept in memory, many in an unnamed file.
#pragma once

#include <memory>
#include <vector>

#include "tools/trace/run_trace.h"

namespace gilscope {

class ThreadOrder {
 public:
  // Keeps up to `in_memory` records in memory: 16 MiB by default.
  static Result<ThreadOrder> of(const RunTrace& trace, uint64_t in_memory = 1 << 18);
  // For segments in memory, in which each thread's are in order.
  static ThreadOrder of(std::span<const gilscope_segment> segments);

  ThreadOrder(ThreadOrder&&) noexcept;
  ThreadOrder& operator=(ThreadOrder&&) noexcept;
  ~ThreadOrder();

  size_t threads() const { return counts_.size(); }
  uint64_t count(size_t thread) const { return counts_[thread]; }
  // The thread's segments from its `first` on, up to as many as `into` holds.
  Result<std::span<gilscope_segment>> read(size_t thread, uint64_t first,
                                           std::span<gilscope_segment> into) const;

 private:
  class Storage;
  ThreadOrder();

  std::vector<uint64_t> counts_, begins_;  // by thread, in records
  std::unique_ptr<Storage> storage_;
};

}  // namespace gilscope
