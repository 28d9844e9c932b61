// How the planned runs of a cell ended: compared, or why not.
#pragma once

#include <array>
#include <map>
#include <string>
#include <vector>

#include "userspace/report/model.h"

namespace gilscope {

struct RunTally {
  size_t planned = 0;
  size_t compared = 0;   // done, and within the limits
  size_t disturbed = 0;  // done, and left out by limits
  size_t failed = 0;
  size_t interrupted = 0;
  size_t not_run = 0;                          // the experiment ended before, or is still running
  std::map<std::string, size_t> disturbances;  // by limit; a run may hit several
  std::map<std::string, size_t> failures;      // by message

  // Runs that are missing for another reason than a limit.
  size_t lost() const { return failed + interrupted + not_run; }
  RunTally& operator+=(const RunTally& other);
};

// Untraced and traced runs measure different things; neither replaces the other.
struct CellRuns {
  RunTally untraced, traced;
  std::vector<int> untraced_blocks, traced_blocks;  // blocks that have a run to compare

  RunTally all() const;
};

struct PlannedRuns {
  size_t blocks = 0;  // measured ones
  bool untraced = false, traced = false;
};

// Warm-up runs are left out. Runs beyond the plan count as planned.
CellRuns tally_of(const Cell& cell, const PlannedRuns& planned);

// "8 of 8 untraced runs failed (the worker was killed by signal 9)"; "of 8 traced runs 2 failed
// (...) and 1 was left out by limits (foreign)"; empty where all of them are compared.
std::string loss_text(const RunTally& tally, const std::string& kind);
// The same for both kinds of runs, named where there are both.
std::string loss_text(const RunTally& untraced, const RunTally& traced);

}  // namespace gilscope
