// The worker: a fresh process for one run, with its own GIL and threads. Its main thread holds the
// GIL as Python's does, opens the window, starts the threads, joins them and closes the window.
#pragma once

#include <span>
#include <string>

#include "bpf/contract.h"
#include "userspace/experiment/run/run_sheet.h"
#include "userspace/tracer/control.h"
#include "userspace/workload/workload.h"

namespace gilscope {

class Stops;

struct WorkerTask {
  std::string policy;       // canonical
  bool threaded = true;     // all at once; false: one after the other
  bool join_at_end = true;  // main_exit = "join"; false: main's end kills the threads
  size_t threads = 2;       // measured threads, not counting the workload's background
  Workload* workload = nullptr;
  const SampleBook& samples;     // empty if the workload takes no samples
  bool perf = false;             // count each thread's perf events
  const Stops* stops = nullptr;  // notified when the run is over
};

// Called in the forked child; does not return. Everything it learns goes to the sheet. The board
// has slots for main, each measured thread and each background thread, in this order.
[[noreturn]] void work(const WorkerTask& task, std::span<gilscope_slot> board,
                       const SharedSheet& sheet, const TraceControl& tracing);

}  // namespace gilscope
