// The events of a run's segments, in the order of time.
#pragma once

#include <functional>

#include "tools/trace/run_trace.h"

namespace gilscope {

struct Moment {
  // Moments of equal time come in this order.
  enum class Kind : uint8_t {
    ended,  // switched out, or left
    ready,  // woken or preempted, and able to run from here on; absent for a first segment
    ran,    // switched in, or entered
  };

  uint64_t ns;
  Kind kind;
  gilscope_segment segment;  // the whole segment, including its later moments
  uint8_t gil_before;        // enum gilscope_gil_state at the end of the thread's previous segment;
                             // outside for its first
  uint64_t last_end_ns;      // the end of the previous segment; 0 for the first

  uint32_t thread() const { return segment.thread; }
};

// Memory grows with the number of threads, not of segments: these are first sorted by thread, in an
// unnamed file below /var/tmp if there are many.
Status each_moment(const RunTrace& trace, const std::function<void(const Moment&)>& visit);

// The same for segments in memory, in which each thread's are in order.
void each_moment(std::span<const gilscope_segment> segments,
                 const std::function<void(const Moment&)>& visit);

}  // namespace gilscope
