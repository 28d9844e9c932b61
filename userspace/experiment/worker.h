// The worker: a fresh process for one run, with its own GIL and threads. Its main thread holds the
// GIL as Python's does, opens the window, lets the threads go, joins them, closes the window.
#pragma once

#include <span>
#include <string>

#include "bpf/contract.h"
#include "userspace/experiment/run_sheet.h"
#include "userspace/tracer/control.h"
#include "userspace/workload/workload.h"

namespace gilscope {

class Stops;

struct WorkerTask {
  std::string policy;       // canonical
  bool threaded = true;     // all at once; false: one after the other
  bool join_at_end = true;  // main_exit = "join"; false: main's end kills the threads
  size_t threads = 2;       // measured ones; the workload's background comes on top
  Workload* workload = nullptr;
  const SampleBook& samples;     // none where the workload takes none
  bool perf = false;             // perf's counters of each thread
  const Stops* stops = nullptr;  // is told when the run is over
};

// Called in the forked child; does not return. Everything it learns goes to the sheet; the board
// has a slot for main, one for each measured thread, and one for each of the background, in this
// order.
[[noreturn]] void work(const WorkerTask& task, std::span<gilscope_slot> board,
                       const SharedSheet& sheet, const TraceControl& tracing);

}  // namespace gilscope
