// A plan is a spec worked out on this box: the cells, and the order of the runs in each block.
#pragma once

#include <string>
#include <vector>

#include "userspace/experiment/spec.h"
#include "userspace/report/model.h"
#include "userspace/util/result.h"

namespace gilscope {

struct PlannedRun {
  size_t cell = 0;    // index into Plan::cells
  std::string trace;  // full | counters | off
};

struct Block {
  int index = 0;  // warm-up blocks come first, counted from 0 like the others
  bool warmup = false;
  std::vector<PlannedRun> runs;  // every cell, traced and untraced, shuffled
};

struct Plan {
  uint64_t seed = 0;
  std::vector<Cell> cells;  // without runs yet
  std::vector<Block> blocks;
};

// The same spec and seed give the same plan. Requests that come to the same CPUs here ("2" and
// "all" on a box with two) make one cell. Fails where a CPU that the spec names is not there.
Result<Plan> make_plan(const Spec& spec, uint64_t seed);

// The different sets of CPUs that these cells use.
std::vector<std::vector<int>> cpu_sets(const std::vector<Cell>& cells);
// How long the plan takes where nothing disturbs it, roughly.
double expected_s(const Plan& plan);
double expected_s(const Cell& cell);  // one run

// Refuses what nobody asks for on purpose, unless it is confirmed: more than 10 000 cells, or more
// than a day.
Status check_size(const Plan& plan, bool confirmed);

// Whether each workload finds what it needs here: its port, its directory. Opens and closes again.
Status check_workloads(const Plan& plan);

// For `--dry-run`: the cells, the blocks and the expected minutes, in lines.
std::string describe(const Plan& plan);

}  // namespace gilscope
