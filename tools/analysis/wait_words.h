// The wait matrix in words and lists, once for every view.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "tools/analysis/numbers.h"
#include "tools/analysis/wording.h"
#include "tools/trace/report_findings.h"

namespace gilscope {

// "`worker-2` waited 1.20 s for the GIL while `worker-1` held it: 0.90 s of that `worker-1` was
// preempted." With the part that is certain where that is not nearly all. Times are means of
// `runs`. Empty: nobody waited while an owner was seen.
std::string worst_pair(const WaitMatrix& waits, const std::vector<std::string>& names,
                       const std::string& lock, size_t runs = 1);

// The same of a cell; empty, too, where its threads hardly waited, and without meaningful times.
std::string worst_pair(const Cell& cell, const CellFindings* found, const Times& times);

// Of the cell of a report whose worst pair waited longest, which is named where there are several.
std::string worst_pair(const Report& report, const ReportFindings& trace, const Wording& wording,
                       const Times& times);

struct WaitLine {
  std::string waiter, owner;
  PairWaits waits;
};

struct WaitLines {
  std::vector<WaitLine> lines;  // longest first
  size_t pairs_left_out = 0;    // by `most`
  PairWaits left_out;           // of these, and of owners that found no place in the matrix
  // By WaiterWas: of all waiters, while no owner was seen.
  std::array<uint64_t, kWaiterWays> nobody_ns{};
};

WaitLines wait_lines(const CellFindings& found, size_t most);

// A pair's times in the order of the columns that every table of pairs has: all, for certain, the
// waiter asleep, runnable, running, the owner running, preempted, asleep. Nanoseconds.
std::array<uint64_t, 8> columns_of(const PairWaits& waits);

// Names of the threads of a cell's runs, which are the same in each.
std::vector<std::string> thread_names(const CellFindings& found);

}  // namespace gilscope
