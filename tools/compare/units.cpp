#include "tools/compare/units.h"

#include <algorithm>
#include <map>
#include <set>

#include "userspace/base/natural_order.h"

namespace gilscope {
namespace {

using Members = std::vector<Member>;

std::set<std::string, NaturalOrder> boxes_of(const Members& members) {
  std::set<std::string, NaturalOrder> boxes;
  for (const Member& member : members) boxes.insert(member.report->box);
  return boxes;
}

Members of_box(const Members& members, const std::string& box) {
  Members found;
  for (const Member& member : members) {
    if (member.report->box == box) found.push_back(member);
  }
  return found;
}

std::set<const ComparedReport*> reports_of(const Members& members) {
  std::set<const ComparedReport*> reports;
  for (const Member& member : members) reports.insert(member.report);
  return reports;
}

// Both arguments may be the same report, and then have the same blocks.
std::set<std::string> ids_of(const Members& members) {
  std::set<std::string> ids;
  for (const ComparedReport* report : reports_of(members)) ids.insert(report->id);
  return ids;
}

std::set<std::string> boots_of(const Members& members) {
  std::set<std::string> boots;
  for (const Member& member : members) boots.insert(member.report->boot);
  return boots;
}

HowCompared how(const BoxMembers& box) {
  // Both sides of one report ran in the same blocks and the same boots.
  if (ids_of(box.a) == ids_of(box.b)) return {Design::paired, Unit::block};
  // Sides that share no boot also differ in the effects of their boots.
  const auto a = boots_of(box.a), b = boots_of(box.b);
  const bool apart = std::ranges::none_of(a, [&](const auto& boot) { return b.contains(boot); });
  const bool of_boots = apart && (a.size() > 1 || b.size() > 1);
  return {Design::unpaired, of_boots ? Unit::boot : Unit::block};
}

Side side_of(const Members& members, size_t metric, const std::string& name, Unit unit,
             const UnitNumbers& units) {
  Side side{name, {}};
  std::map<int, std::vector<double>> by_boot;
  for (const Member& member : members) {
    for (const BlockValue& value : member.cell->values[metric]) {
      if (unit == Unit::boot) {
        by_boot[units.boot(*member.report)].push_back(value.value);
      } else {
        side.values.push_back({units.block(*member.report, value.block), value.value});
      }
    }
  }
  for (auto& [boot, values] : by_boot) side.values.push_back({boot, *median(std::move(values))});
  return side;
}

RunTally tally_of(const Members& members, RunTally CellRuns::*kind) {
  RunTally sum;
  for (const Member& member : members) sum += member.cell->tally.*kind;
  return sum;
}

bool nothing_left(const Members& members) {
  return std::ranges::all_of(
      members, [](const Member& member) { return member.cell->tally.all().compared == 0; });
}

std::string why_absent(const Members& members, const std::string& side) {
  const RunTally untraced = tally_of(members, &CellRuns::untraced);
  const RunTally traced = tally_of(members, &CellRuns::traced);
  RunTally all = untraced;
  all += traced;
  if (all.planned > 0 && all.gated == all.planned) {
    return fmt::format("gates have left out all {} runs of {}", all.planned, side);
  }
  if (all.planned > 0 && all.compared == 0) {
    return fmt::format("nothing is left of {}: {}", side, loss_of(all, ""));
  }
  for (const bool of_traced : {false, true}) {
    const RunTally& tally = of_traced ? traced : untraced;
    if (tally.planned > 0 && tally.compared == 0) {
      return fmt::format("not captured on {}: {}", side,
                         loss_of(tally, of_traced ? "traced " : "untraced "));
    }
  }
  if (traced.planned == 0) return fmt::format("not captured on {}, which was not traced", side);
  return fmt::format("not captured on {}", side);
}

std::string neither(const BoxMembers& box) {
  if (!nothing_left(box.a) || !nothing_left(box.b)) return kOnNeitherSide;
  const std::string why = why_absent(box.a, "either side");
  if (why_absent(box.b, "either side") == why) return why;
  return why_absent(box.a, "the baseline") + "; " + why_absent(box.b, "the other side");
}

}  // namespace

// Where each side is one machine and no machine has both, the machines are part of the comparison.
std::vector<BoxMembers> by_box(const CellPair& pair, const Axis& axis) {
  const auto a = boxes_of(pair.a), b = boxes_of(pair.b);
  std::vector<BoxMembers> boxes;
  for (const std::string& box : a) {
    if (b.contains(box)) boxes.push_back({box, of_box(pair.a, box), of_box(pair.b, box)});
  }
  if (boxes.empty() && (axis.key == "environment.host.name" || (a.size() == 1 && b.size() == 1))) {
    boxes.push_back({*a.begin() + " and " + *b.begin(), pair.a, pair.b});
  }
  return boxes;
}

HowCompared how_compared(const CellPair& pair, const Axis& axis) {
  const auto boxes = by_box(pair, axis);
  return boxes.empty() ? HowCompared() : how(boxes.front());
}

UnitNumbers::UnitNumbers(const std::vector<ComparedReport>& reports) {
  for (const ComparedReport& report : reports) {
    boots_[report.boot] = 0;
    auto& blocks = blocks_[report.id];
    for (const ComparedCell& cell : report.cells) {
      for (const auto& values : cell.values) {
        for (const BlockValue& value : values) blocks[value.block] = 0;
      }
    }
  }
  int number = 0;
  for (auto& [report, blocks] : blocks_) {
    for (auto& [block, place] : blocks) place = number++;
  }
  for (auto& [boot, place] : boots_) place = number++;
}

Result<std::vector<BoxResult>> box_results(const CellPair& pair, const Axis& axis, size_t metric,
                                           const UnitNumbers& units) {
  struct Sides {
    HowCompared compared;
    Side a, b;
  };
  const auto boxes = by_box(pair, axis);
  const std::string name = metrics()[metric].name;
  std::vector<Sides> sides;
  std::vector<const Side*> all;
  for (const BoxMembers& box : boxes) {
    const HowCompared compared = how(box);
    sides.push_back({compared,
                     side_of(box.a, metric, name + " of the baseline", compared.unit, units),
                     side_of(box.b, metric, name + " of the other side", compared.unit, units)});
  }
  for (const Sides& of_box : sides) all.insert(all.end(), {&of_box.a, &of_box.b});
  const Scale scale = scale_of(metrics()[metric], all);  // one for all machines, which are combined
  std::vector<BoxResult> results;
  for (size_t i = 0; i < boxes.size(); ++i) {
    const BoxMembers& box = boxes[i];
    const auto& [compared, a, b] = sides[i];
    BoxResult result{box.box, compared.unit, {}, ""};
    if (a.values.empty() || b.values.empty()) {
      result.why = a.values.empty() && b.values.empty() ? neither(box)
                   : a.values.empty()                   ? why_absent(box.a, "the baseline")
                                                        : why_absent(box.b, "the other side");
      results.push_back(std::move(result));
      continue;
    }
    auto effect = compared.design == Design::paired ? paired_effect(a, b, scale)
                                                    : unpaired_effect(a, b, scale);
    if (effect) {
      result.effect = std::move(*effect);
    } else if (effect.error().code == Exit::no_data) {
      result.why = "no block has it on both sides";
    } else {
      return fail(effect.error());
    }
    results.push_back(std::move(result));
  }
  return results;
}

std::vector<std::string> boxes_left_out(const CellPair& pair, const Axis& axis) {
  const auto boxes = by_box(pair, axis);
  std::vector<std::string> left_out;
  for (const Members* members : {&pair.a, &pair.b}) {
    for (const std::string& box : boxes_of(*members)) {
      const bool used = std::ranges::any_of(boxes, [&](const BoxMembers& b) {
        return b.box == box || (boxes.size() == 1 && b.box.find(box) != std::string::npos);
      });
      if (!used && std::ranges::count(left_out, box) == 0) left_out.push_back(box);
    }
  }
  return left_out;
}

}  // namespace gilscope
