// Runs one cell once: forks a worker, drains its records while it runs, and makes the run's record
// from what the worker, the kernel and the tracer report.
#pragma once

#include <functional>
#include <optional>
#include <span>

#include "userspace/base/interrupt.h"
#include "userspace/base/result.h"
#include "userspace/experiment/disturbance/limits.h"
#include "userspace/experiment/run/client.h"
#include "userspace/experiment/run/perf_events.h"
#include "userspace/report/model.h"
#include "userspace/tracer/tracer.h"
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
  // Without a tracer, only untraced runs are possible.
  Runner(Tracer* tracer, Interrupt& interrupt) : tracer_(tracer), interrupt_(interrupt) {}

  struct Options {
    bool traced = false;
    bool statistics = false;  // the kernel times the BPF programs (warm-up runs)
    bool perf = false;        // count each thread's perf events
    Tracer::RecordSink sink = [](std::span<const gilscope_segment>) { return Status(); };
    const CpuLimiter* limiter = nullptr;  // already applied; null: by affinity
    // Called with the latencies of a finished run whose workload measures any.
    std::function<Status(const SampleBook&)> samples_sink = [](const SampleBook&) {
      return Status();
    };
    // For tests that inspect the worker while it runs.
    std::function<void(pid_t)> on_started = nullptr;
    DisturbanceLimits limits = {};
  };

  // The record's status says whether the run succeeded: "done", "failed" or "interrupted". An Error
  // is a failure of gilscope itself or of the disk.
  Result<Run> run(const Cell& cell, const Options& options);

  // For each perf counter 0, or the reason why a thread of some run so far lacked it.
  const PerfErrors& perf_errors() const { return perf_errors_; }

 private:
  struct RunWatch {
    bool traced = false;
    ClientProcess* client = nullptr;
    Stops* stops = nullptr;
    bool interrupted = false;
    Status client_ended = {};

    // Sets the run's status and, if it failed, the reason.
    void judge(Run& run, const RunSheet& sheet, int worker_status) const;
  };
  Result<pid_t> start_worker(const WorkerTask& task, const Cell& cell, const Options& options,
                             std::span<gilscope_slot> board, const SharedSheet& sheet);
  Status watch(pid_t pid, RunWatch& watched);
  void take_perf(Run& run, std::span<const ThreadRow> rows);
  // `kept` says whether the records could be kept; it is also what this returns.
  Status end_trace(Run& run, const Cell& cell, const Status& kept);

  Tracer* tracer_;
  Interrupt& interrupt_;
  PerfErrors perf_errors_{};
};

}  // namespace gilscope
