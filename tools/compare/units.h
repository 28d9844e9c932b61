// What is counted as one observation, and of which box: blocks, paired where both sides were run in
// the same ones, or whole boots.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "tools/compare/comparison.h"

namespace gilscope {

// Why a metric is absent that a workload does not have, or that nothing was traced for.
inline constexpr const char* kOnNeitherSide = "not captured on either side";

struct HowCompared {
  Design design = Design::unpaired;
  Unit unit = Unit::block;
};

// Numbers for what is one observation: the same in every cell and metric of a comparison, and
// whatever order the reports came in.
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

// Of one box, both sides.
struct BoxMembers {
  std::string box;
  std::vector<Member> a, b;
};

// In the order of their names. Where hosts are the axis, or each side is one box, there is one.
std::vector<BoxMembers> by_box(const CellPair& pair, const Axis& axis);

HowCompared how_compared(const CellPair& pair, const Axis& axis);

// One for each box that has both sides, in the order of their names. Where hosts are the axis each
// side is a box, and there is one result.
Result<std::vector<BoxResult>> box_results(const CellPair& pair, const Axis& axis, size_t metric,
                                           const UnitNumbers& units);

// Boxes with one side only, where others have both.
std::vector<std::string> boxes_left_out(const CellPair& pair, const Axis& axis);

}  // namespace gilscope
