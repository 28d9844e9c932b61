// The units of observation on each machine: blocks, paired where both sides ran in the same ones,
// or whole boots.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "tools/compare/comparison.h"

namespace gilscope {

// The reason for a metric that the workload does not have, or that needs traced runs.
inline constexpr const char* kNotCaptured = "not captured on either side";

struct ComparisonDesign {
  Design design = Design::unpaired;
  Unit unit = Unit::block;
};

// Numbers the units: the same in every cell and metric of a comparison, whatever the order of the
// reports.
class UnitNumbers {
 public:
  explicit UnitNumbers(const std::vector<ComparedReport>& reports);

  int block(const ComparedReport& report, int block) const {
    return blocks_.at(report.id).at(block);
  }
  int boot(const ComparedReport& report) const { return boots_.at(report.boot); }

 private:
  std::map<std::string, std::map<int, int>> blocks_;  // by report
  std::map<std::string, int> boots_;
};

// Both sides on one machine.
struct MachineMembers {
  std::string machine;
  std::vector<Member> a, b;
};

// Sorted by name. There is one entry where hosts are the axis, or where each side is one machine.
std::vector<MachineMembers> per_machine(const CellPair& pair, const Axis& axis);

ComparisonDesign comparison_design(const CellPair& pair, const Axis& axis);

// One for each machine that has both sides, sorted by name. Where hosts are the axis, each side is
// a machine, and there is one result.
Result<std::vector<MachineResult>> machine_results(const CellPair& pair, const Axis& axis,
                                                   size_t metric, const UnitNumbers& units);

// Machines that have one side only, where others have both.
std::vector<std::string> machines_left_out(const CellPair& pair, const Axis& axis);

}  // namespace gilscope
