// Runs a cell of a real interpreter once: starts it with the kit's script, finds its GIL while its
// threads wait, opens the gate, and makes the run's record from what the script, the kernel and the
// tracer report. Traced and untraced runs take the same steps.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "userspace/base/interrupt.h"
#include "userspace/base/result.h"
#include "userspace/experiment/disturbance/limits.h"
#include "userspace/experiment/program/interpreter_file.h"
#include "userspace/experiment/program/program_tracer.h"
#include "userspace/experiment/program/script_process.h"
#include "userspace/machine/limit/cpu_limiter.h"
#include "userspace/report/model.h"
#include "userspace/workload/samples.h"

namespace gilscope {

// How long a script may take before its run has failed.
struct ProgramPatience {
  uint64_t ready_ns = 60'000'000'000;   // to start
  uint64_t answer_ns = 30'000'000'000;  // to any word but "go"
  uint64_t done_ns = 0;                 // to its work; 0: as the plan expects, and much more
};

class ProgramRunner {
 public:
  // Without a tracer, only untraced runs are possible.
  ProgramRunner(ProgramTracer* tracer, const ProgramOwner& owner, Interrupt& interrupt)
      : tracer_(tracer), owner_(owner), interrupt_(interrupt) {}

  struct Options {
    bool traced = false;
    ProgramTracer::Place place = {};
    const CpuLimiter* limiter = nullptr;  // already applied
    std::function<Status(const SampleBook&)> samples_sink = [](const SampleBook&) {
      return Status();
    };
    DisturbanceLimits limits = {};
    ProgramPatience patience = {};
    std::string script = {};  // for tests: instead of the kit's
  };

  // As Runner::run(). Also says in the cell which program it was.
  Result<Run> run(Cell& cell, const InterpreterFile& file, const Options& options);

 private:
  ProgramTracer* tracer_;
  const ProgramOwner& owner_;
  Interrupt& interrupt_;
};

}  // namespace gilscope
