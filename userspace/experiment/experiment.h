// The experiment: blocks of runs after the plan, the report written after each block.
#pragma once

#include <functional>
#include <string>

#include "userspace/experiment/interrupt.h"
#include "userspace/experiment/out_dir.h"
#include "userspace/experiment/spec.h"
#include "userspace/report/model.h"
#include "userspace/util/result.h"

namespace gilscope {

class CpuLimiter;

// What a user may watch: called after each run.
struct Progress {
  int block = 0, blocks = 0;  // warm-up included
  bool warmup = false;
  size_t run = 0, runs = 0;  // of the whole experiment, earlier ones included
  double seconds_left = 0;   // as expected by the plan, corrected by the pace so far
  const Cell* cell = nullptr;
  const Run* last = nullptr;
};

struct ExperimentOptions {
  Spec spec;
  std::string spec_text;  // kept in the report word for word
  OutDir* out = nullptr;  // none: nothing is written
  CpuLimiter& limiter;    // of spec.cpus_by; everything is restored at the end
  std::function<void(const Progress&)> progress = [](const Progress&) {};
};

// Runs what is left to run. The report's status is "done", or "interrupted" after a signal; both
// have been written where there is somewhere to write. An earlier report of another spec is
// refused, and so is an unfinished one of another kernel, machine or gilscope (fixed_facts.h); one
// of the same is taken up after its last whole block; a finished one comes back as it is.
Result<Report> run_experiment(const ExperimentOptions& options, Interrupt& interrupt);

}  // namespace gilscope
