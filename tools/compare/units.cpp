#include "tools/compare/units.h"

#include <algorithm>
#include <map>
#include <set>

#include "userspace/base/natural_order.h"

namespace gilscope {
namespace {

using Members = std::vector<Member>;

std::set<std::string, NaturalOrder> machines_of(const Members& members) {
  std::set<std::string, NaturalOrder> machines;
  for (const Member& member : members) machines.insert(member.report->machine);
  return machines;
}

Members of_machine(const Members& members, const std::string& machine) {
  Members found;
  for (const Member& member : members) {
    if (member.report->machine == machine) found.push_back(member);
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

ComparisonDesign how(const MachineMembers& machine) {
  // Both sides of one report ran in the same blocks and the same boots.
  if (ids_of(machine.a) == ids_of(machine.b)) return {Design::paired, Unit::block};
  // Sides that share no boot also differ in the effects of their boots.
  const auto a = boots_of(machine.a), b = boots_of(machine.b);
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

std::string absence_reason(const Members& members, const std::string& side) {
  const RunTally untraced = tally_of(members, &CellRuns::untraced);
  const RunTally traced = tally_of(members, &CellRuns::traced);
  RunTally all = untraced;
  all += traced;
  if (all.planned > 0 && all.disturbed == all.planned) {
    return fmt::format("limits have left out all {} runs of {}", all.planned, side);
  }
  if (all.planned > 0 && all.compared == 0) {
    return fmt::format("nothing is left of {}: {}", side, loss_text(all, ""));
  }
  for (const bool of_traced : {false, true}) {
    const RunTally& tally = of_traced ? traced : untraced;
    if (tally.planned > 0 && tally.compared == 0) {
      return fmt::format("not captured on {}: {}", side,
                         loss_text(tally, of_traced ? "traced " : "untraced "));
    }
  }
  if (traced.planned == 0) return fmt::format("not captured on {}, which was not traced", side);
  return fmt::format("not captured on {}", side);
}

std::string neither(const MachineMembers& machine) {
  if (!nothing_left(machine.a) || !nothing_left(machine.b)) return kNotCaptured;
  const std::string why = absence_reason(machine.a, "either side");
  if (absence_reason(machine.b, "either side") == why) return why;
  return absence_reason(machine.a, "the baseline") + "; " +
         absence_reason(machine.b, "the other side");
}

}  // namespace

// Where each side is one machine and no machine has both, the machines are part of the comparison.
std::vector<MachineMembers> per_machine(const CellPair& pair, const Axis& axis) {
  const auto a = machines_of(pair.a), b = machines_of(pair.b);
  std::vector<MachineMembers> machines;
  for (const std::string& machine : a) {
    if (b.contains(machine))
      machines.push_back({machine, of_machine(pair.a, machine), of_machine(pair.b, machine)});
  }
  if (machines.empty() &&
      (axis.key == "environment.host.name" || (a.size() == 1 && b.size() == 1))) {
    machines.push_back({*a.begin() + " and " + *b.begin(), pair.a, pair.b});
  }
  return machines;
}

ComparisonDesign comparison_design(const CellPair& pair, const Axis& axis) {
  const auto machines = per_machine(pair, axis);
  return machines.empty() ? ComparisonDesign() : how(machines.front());
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

Result<std::vector<MachineResult>> machine_results(const CellPair& pair, const Axis& axis,
                                                   size_t metric, const UnitNumbers& units) {
  struct Sides {
    ComparisonDesign compared;
    Side a, b;
  };
  const auto machines = per_machine(pair, axis);
  const std::string name = metrics()[metric].name;
  std::vector<Sides> sides;
  std::vector<const Side*> all;
  for (const MachineMembers& machine : machines) {
    const ComparisonDesign compared = how(machine);
    sides.push_back(
        {compared, side_of(machine.a, metric, name + " of the baseline", compared.unit, units),
         side_of(machine.b, metric, name + " of the other side", compared.unit, units)});
  }
  for (const Sides& of_machine : sides) all.insert(all.end(), {&of_machine.a, &of_machine.b});
  const Scale scale = scale_of(metrics()[metric], all);  // one for all machines, which are combined
  std::vector<MachineResult> results;
  for (size_t i = 0; i < machines.size(); ++i) {
    const MachineMembers& machine = machines[i];
    const auto& [compared, a, b] = sides[i];
    MachineResult result{machine.machine, compared.unit, {}, ""};
    if (a.values.empty() || b.values.empty()) {
      result.reason = a.values.empty() && b.values.empty() ? neither(machine)
                      : a.values.empty() ? absence_reason(machine.a, "the baseline")
                                         : absence_reason(machine.b, "the other side");
      results.push_back(std::move(result));
      continue;
    }
    auto effect = compared.design == Design::paired ? paired_effect(a, b, scale)
                                                    : unpaired_effect(a, b, scale);
    if (effect) {
      result.effect = std::move(*effect);
    } else if (effect.error().code == Exit::no_data) {
      result.reason = "no block has it on both sides";
    } else {
      return fail(effect.error());
    }
    results.push_back(std::move(result));
  }
  return results;
}

std::vector<std::string> machines_left_out(const CellPair& pair, const Axis& axis) {
  const auto machines = per_machine(pair, axis);
  std::vector<std::string> left_out;
  for (const Members* members : {&pair.a, &pair.b}) {
    for (const std::string& machine : machines_of(*members)) {
      const bool used = std::ranges::any_of(machines, [&](const MachineMembers& b) {
        return b.machine == machine ||
               (machines.size() == 1 && b.machine.find(machine) != std::string::npos);
      });
      if (!used && std::ranges::count(left_out, machine) == 0) left_out.push_back(machine);
    }
  }
  return left_out;
}

}  // namespace gilscope
