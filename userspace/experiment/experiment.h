// Runs an experiment: the plan's blocks of runs, writing the report after each block.
#pragma once

#include <functional>
#include <string>

#include "userspace/base/interrupt.h"
#include "userspace/base/result.h"
#include "userspace/experiment/plan/spec.h"
#include "userspace/experiment/program/interpreter_file.h"
#include "userspace/report/model.h"
#include "userspace/report/out_dir.h"

namespace gilscope {

class CpuLimiter;

// The state of an experiment after each run.
struct Progress {
  int block = 0, blocks = 0;  // warm-up included
  bool warmup = false;
  size_t run = 0, runs = 0;  // of the whole experiment, including earlier sessions
  double seconds_left = 0;   // the plan's estimate, corrected by the pace so far
  const Cell* cell = nullptr;
  const Run* last = nullptr;
};

struct ExperimentOptions {
  Spec spec;
  std::string spec_text;  // kept verbatim in the report
  OutDir* out = nullptr;  // null: nothing is written
  CpuLimiter& limiter;    // for spec.cpus_by; restored at the end
  std::function<void(const Progress&)> progress = [](const Progress&) {};
  // For cells of real programs: whose they are, and the files of its policies.
  ProgramOwner owner = {};
  InterpreterFiles programs = {};
};

// Runs the blocks that are left. The returned report has the status "done", or "interrupted" after
// a signal, and has been written if there is an output directory. Resumes an unfinished earlier
// report after its last complete block, and returns a finished one as it is. Refuses an earlier
// report of another spec, and an unfinished one of another kernel, machine or gilscope
// (fixed_facts.h).
Result<Report> run_experiment(const ExperimentOptions& options, Interrupt& interrupt);

}  // namespace gilscope
