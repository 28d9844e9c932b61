// Runs a cell of any other program once: "program:COMMAND". It does its own work, and is told of
// the run by its environment: GILSCOPE_THREADS has the number of threads, and GILSCOPE_GATE_FD,
// where the policy says gate=fd, the descriptor from which it reads a line when it may begin. Its
// wall clock is gilscope's: from the gate's opening or, without one, from its execution to its end.
#pragma once

#include "userspace/experiment/program/program_runner.h"

namespace gilscope {

class CommandRunner {
 public:
  // Without a tracer, only untraced runs are possible.
  CommandRunner(ProgramTracer* tracer, const ProgramOwner& owner, Interrupt& interrupt)
      : tracer_(tracer), owner_(owner), interrupt_(interrupt) {}

  // As Runner::run(). Also says in the cell which program it was.
  Result<Run> run(Cell& cell, const ProgramRunner::Options& options);

 private:
  ProgramTracer* tracer_;
  const ProgramOwner& owner_;
  Interrupt& interrupt_;
};

}  // namespace gilscope
