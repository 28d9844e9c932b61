// One cell, once: forks a worker, keeps the ring from filling while it runs, and makes the run's
// record out of what the worker, the kernel and the tracer say of it.
#pragma once

#include <functional>
#include <optional>
#include <span>

#include "userspace/experiment/client.h"
#include "userspace/experiment/gates.h"
#include "userspace/experiment/interrupt.h"
#include "userspace/experiment/perf_events.h"
#include "userspace/report/model.h"
#include "userspace/tracer/tracer.h"
#include "userspace/util/result.h"
#include "userspace/workload/samples.h"

namespace gilscope {

class CpuLimiter;
class SharedSheet;
class Stops;
struct RunSheet;
struct ThreadRow;
struct WorkerTask;

class Runner {
 public:
  // `tracer` empty: only untraced runs can be asked for.
  Runner(Tracer* tracer, Interrupt& interrupt) : tracer_(tracer), interrupt_(interrupt) {}

  struct Options {
    bool traced = false;
    bool statistics = false;  // the kernel times the programs (warm-up runs)
    bool perf = false;        // perf's counters of each thread
    Tracer::RecordSink sink = [](std::span<const gilscope_segment>) { return Status(); };
    const CpuLimiter* limiter = nullptr;  // applied already; none: by affinity
    // Called with the latencies of a run that is done, where its workload measures any.
    std::function<Status(const SampleBook&)> samples_sink = [](const SampleBook&) {
      return Status();
    };
    // For tests that look at the worker from outside while it runs.
    std::function<void(pid_t)> on_started = nullptr;
    GateLimits gates = {};
  };

  // The record's status says whether the run succeeded; an Error is a failure of the kit itself, or
  // of the disk. An interrupted run has the status "interrupted".
  Result<Run> run(const Cell& cell, const Options& options);

  // For each of perf's counters 0, or why a thread of some run so far did not have it.
  const PerfErrors& perf_errors() const { return perf_errors_; }

 private:
  struct Watched {
    bool traced = false;
    ClientProcess* client = nullptr;
    Stops* stops = nullptr;
    bool interrupted = false;
    Status client_ended = {};

    // The run's status, and why it failed.
    void judge(Run& run, const RunSheet& sheet, int worker_status) const;
  };
  Result<pid_t> start_worker(const WorkerTask& task, const Cell& cell, const Options& options,
                             std::span<gilscope_slot> board, const SharedSheet& sheet);
  Status watch(pid_t pid, Watched& watched);
  void take_perf(Run& run, std::span<const ThreadRow> rows);
  // `kept`: whether the records could be kept, which is what it returns.
  Status end_trace(Run& run, const Cell& cell, const Status& kept);

  Tracer* tracer_;
  Interrupt& interrupt_;
  PerfErrors perf_errors_{};
};

}  // namespace gilscope
