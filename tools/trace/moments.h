// What a run's segments say happened, in the order of time.
#pragma once

#include <functional>

#include "tools/trace/run_trace.h"

namespace gilscope {

struct Moment {
  // In this order where two threads' times are equal.
  enum class Kind : uint8_t {
    ended,  // switched out, or left
    ready,  // woken, or preempted: it could run from here on; not for a thread's first segment
    ran,    // switched in, or entered
  };

  uint64_t ns;
  Kind kind;
  gilscope_segment segment;  // all of it, what is yet to come included
  // Before the segment: the thread's state as its last segment ended, outside for its first one.
  uint8_t gil_before;    // enum gilscope_gil_state
  uint64_t last_end_ns;  // 0 for its first one

  uint32_t thread() const { return segment.thread; }
};

// Memory grows with the number of threads, not with the segments: they are first put into the order
// of their threads, in an unnamed file below /var/tmp where they are many.
Status each_moment(const RunTrace& trace, const std::function<void(const Moment&)>& see);

// The same of segments that are at hand, each thread's in its order.
void each_moment(std::span<const gilscope_segment> segments,
                 const std::function<void(const Moment&)>& see);

}  // namespace gilscope
