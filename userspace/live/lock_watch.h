// The findings that only segments give, of one process's lock, while they come. What derives them
// is in tools/, which userspace/ does not know.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "bpf/contract.h"
#include "userspace/report/model.h"

namespace gilscope {

struct ThreadName {
  std::string name;  // printable
  uint32_t tid = 0;

  bool operator==(const ThreadName&) const = default;
};

class LockWatch {
 public:
  struct Pair {
    ThreadName waiter, owner;
    uint64_t ns = 0;
    uint64_t bounded_ns = 0;  // part of it that segments bound, and do not tell
    // How the owner spent it.
    uint64_t running_ns = 0, preempted_ns = 0, asleep_ns = 0;
  };
  struct Waited {
    ThreadName thread;
    uint64_t ns = 0;
    // Part of it in which no owner was seen, or one that no pair here names.
    uint64_t for_nobody_ns = 0;
  };
  struct Since {
    Histogram handoff;  // latencies
    uint64_t handoff_sum_ns = 0;
    uint64_t handoffs = 0, handoffs_unseen = 0;
    std::vector<Pair> pairs;  // the longest first
    std::vector<Waited> waited;
    uint64_t late = 0;  // segments that came after until() had passed their beginning
  };

  virtual ~LockWatch() = default;
  // Who a slot stands for; again if it is renamed, or the slot another thread's.
  virtual void thread(uint32_t slot, const ThreadName& thread) = 0;
  virtual void left(uint32_t slot) = 0;
  // In the order of their ends; `thread` is the slot.
  virtual void segments(std::span<const gilscope_segment> segments) = 0;
  // Nothing is still to come that was before this.
  virtual void until(uint64_t ns) = 0;
  // What came to that since this was last asked.
  virtual Since since_asked() = 0;

  struct Owner {
    ThreadName thread;
    uint64_t since_ns = 0;
  };
  virtual std::optional<Owner> owner() const = 0;
  virtual std::optional<uint64_t> waiting_since_ns(uint32_t slot) const = 0;
  // Segments that are kept until what was before them is known.
  virtual size_t kept() const = 0;
};

using MakeLockWatch = std::function<std::unique_ptr<LockWatch>()>;

}  // namespace gilscope
