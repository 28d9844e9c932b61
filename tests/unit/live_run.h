// A constructed run of a real program: one thread holds the lock, another waits for it.
#pragma once

#include <vector>

#include "bpf/contract.h"

namespace gilscope {

inline constexpr uint32_t kHolderTid = 11, kWaiterTid = 12;

inline gilscope_segment segment_of(uint32_t thread, uint64_t ready_ns, uint64_t run_ns,
                                   uint64_t end_ns) {
  gilscope_segment segment{};
  segment.thread = thread;
  segment.ready_ns = ready_ns;
  segment.run_ns = run_ns;
  segment.end_ns = end_ns;
  segment.began = ready_ns ? GILSCOPE_BEGAN_PREEMPTED : GILSCOPE_BEGAN_ENTERED;
  segment.previous_cpu = segment.waker_cpu = segment.placed_cpu = GILSCOPE_NO_CPU;
  return segment;
}

// Slot 1 waits from 2000 to 5100: for 500 the holder, in slot 0, runs, for 1500 it is preempted,
// for 1000 it runs again, and for 100 nobody is seen to hold the lock. The hand-off takes 200. In
// the order of their ends, as the tracer hands them over; `after` is added to all times.
inline std::vector<gilscope_segment> run_of_two(uint64_t after) {
  gilscope_segment waits = segment_of(1, 0, after + 1000, after + 2000);
  waits.ended = GILSCOPE_ENDED_BLOCKED_GIL;
  waits.gil_state = GILSCOPE_WAITING;
  waits.contended = 1;
  gilscope_segment holds = segment_of(0, 0, after + 500, after + 2500);
  holds.ended = GILSCOPE_ENDED_PREEMPTED;
  holds.gil_state = GILSCOPE_HOLDING;
  gilscope_segment releases = segment_of(0, after + 2500, after + 4000, after + 5000);
  releases.ended = GILSCOPE_ENDED_BLOCKED;
  gilscope_segment acquires = segment_of(1, after + 4900, after + 5100, after + 6000);
  acquires.began = GILSCOPE_BEGAN_WOKEN;
  acquires.waker_tid = kHolderTid;
  acquires.ended = GILSCOPE_ENDED_BLOCKED;
  acquires.acquires = 1;
  return {waits, holds, releases, acquires};
}

}  // namespace gilscope
