// What traces the runs of an experiment, loaded once: a tracer of models, and one of real programs.
#pragma once

#include <optional>
#include <vector>

#include "userspace/base/result.h"
#include "userspace/experiment/plan/spec.h"
#include "userspace/experiment/program/program_tracer.h"
#include "userspace/report/model.h"
#include "userspace/tracer/tracer.h"

namespace gilscope {

// Whether a cell is a real program's.
bool is_program(const Cell& cell);

// Each is empty where no run needs it.
struct Tracers {
  std::optional<Tracer> of_models;
  std::optional<ProgramTracer> of_programs;

  static Result<Tracers> load(const Spec& spec, const std::vector<Cell>& cells);
  Facts capabilities() const;
};

}  // namespace gilscope
