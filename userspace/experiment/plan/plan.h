// A plan is a spec worked out on this machine: the cells, and the order of the runs in each block.
#pragma once

#include <string>
#include <vector>

#include "userspace/base/result.h"
#include "userspace/experiment/plan/spec.h"
#include "userspace/report/model.h"

namespace gilscope {

struct PlannedRun {
  size_t cell = 0;    // index into Plan::cells
  std::string trace;  // full | counters | off
};

struct Block {
  int index = 0;  // warm-up blocks come first and count from 0 like the others
  bool warmup = false;
  std::vector<PlannedRun> runs;  // every cell, traced and untraced, shuffled
};

struct Plan {
  uint64_t seed = 0;
  std::vector<Cell> cells;  // without runs yet
  std::vector<Block> blocks;
  std::vector<std::string> missing;  // interpreters that the spec would take, and are not here
};

// The same spec and seed give the same plan. Requests for the same CPUs ("2" and "all" on a machine
// with two) make one cell. Fails if a CPU that the spec names is not there.
Result<Plan> make_plan(const Spec& spec, uint64_t seed);

// The distinct sets of CPUs that these cells use.
std::vector<std::vector<int>> cpu_sets(const std::vector<Cell>& cells);
// The plan's rough duration when nothing disturbs it.
double expected_seconds(const Plan& plan);
double expected_seconds(const Cell& cell);  // one run

// Refuses more than 10 000 cells or more than a day, unless confirmed: nobody asks for that on
// purpose.
Status check_size(const Plan& plan, bool confirmed);

// Checks that each workload finds what it needs here, its port or directory, by opening it.
Status check_workloads(const Plan& plan);

// The text of `--dry-run`: the cells, the blocks and the expected minutes.
std::string describe(const Plan& plan);

}  // namespace gilscope
