// A run's segments put into the order of their threads, so that each thread's can be followed while
// the others' wait. A few are kept in memory, many in an unnamed file.
#pragma once

#include <memory>
#include <vector>

#include "tools/trace/run_trace.h"

namespace gilscope {

class ThreadOrder {
 public:
  // Up to `in_memory` records are kept there: 16 MiB.
  static Result<ThreadOrder> of(const RunTrace& trace, uint64_t in_memory = 1 << 18);
  // Of segments that are at hand, each thread's in its order.
  static ThreadOrder of(std::span<const gilscope_segment> segments);

  ThreadOrder(ThreadOrder&&) noexcept;
  ThreadOrder& operator=(ThreadOrder&&) noexcept;
  ~ThreadOrder();

  size_t threads() const { return counts_.size(); }
  uint64_t count(size_t thread) const { return counts_[thread]; }
  // The thread's segments from its `first` on, as many as `into` holds or there are.
  Result<std::span<gilscope_segment>> read(size_t thread, uint64_t first,
                                           std::span<gilscope_segment> into) const;

 private:
  class Storage;
  ThreadOrder();

  std::vector<uint64_t> counts_, begins_;  // by thread, in records
  std::unique_ptr<Storage> storage_;
};

}  // namespace gilscope
