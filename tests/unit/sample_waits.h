// A run whose turns are known: one holder of the GIL, and two threads that wait for it.
#pragma once

#include "tests/unit/sample_trace.h"

namespace gilscope::sample {

// Thread 0 has it from 100 to 900, is preempted from 300 to 400 and sleeps from 600 to 680; thread
// 1 waits from 150 and has it from 950 to 1000; thread 2 waits from 200 and has it from 1010.
inline std::vector<SegmentOf> one_holder_two_waiters(uint64_t unit = 1) {
  std::vector<SegmentOf> all{
      {.thread = 0,
       .ready_ns = 0,
       .run_ns = 100,
       .end_ns = 300,
       .began = GILSCOPE_BEGAN_ENTERED,
       .ended = GILSCOPE_ENDED_PREEMPTED,
       .gil_state = GILSCOPE_HOLDING,
       .acquires = 1},
      {.thread = 0,
       .ready_ns = 300,
       .run_ns = 400,
       .end_ns = 600,
       .began = GILSCOPE_BEGAN_PREEMPTED,
       .ended = GILSCOPE_ENDED_BLOCKED,
       .gil_state = GILSCOPE_HOLDING},
      {.thread = 0, .ready_ns = 680, .run_ns = 700, .end_ns = 900, .ended = GILSCOPE_ENDED_LEFT},
      {.thread = 1,
       .ready_ns = 0,
       .run_ns = 110,
       .end_ns = 150,
       .began = GILSCOPE_BEGAN_ENTERED,
       .ended = GILSCOPE_ENDED_BLOCKED_GIL,
       .gil_state = GILSCOPE_WAITING},
      {.thread = 1,
       .ready_ns = 500,
       .run_ns = 520,
       .end_ns = 540,
       .ended = GILSCOPE_ENDED_BLOCKED_GIL,
       .gil_state = GILSCOPE_WAITING},
      {.thread = 1,
       .ready_ns = 900,
       .run_ns = 950,
       .end_ns = 1000,
       .ended = GILSCOPE_ENDED_LEFT,
       .acquires = 1},
      {.thread = 2,
       .ready_ns = 0,
       .run_ns = 120,
       .end_ns = 200,
       .began = GILSCOPE_BEGAN_ENTERED,
       .ended = GILSCOPE_ENDED_PREEMPTED,
       .gil_state = GILSCOPE_WAITING},
      {.thread = 2,
       .ready_ns = 200,
       .run_ns = 350,
       .end_ns = 360,
       .began = GILSCOPE_BEGAN_PREEMPTED,
       .ended = GILSCOPE_ENDED_BLOCKED_GIL,
       .gil_state = GILSCOPE_WAITING},
      {.thread = 2,
       .ready_ns = 1000,
       .run_ns = 1010,
       .end_ns = 1020,
       .ended = GILSCOPE_ENDED_LEFT,
       .acquires = 1},
  };
  for (SegmentOf& of : all) of.ready_ns *= unit, of.run_ns *= unit, of.end_ns *= unit;
  return all;
}

}  // namespace gilscope::sample
