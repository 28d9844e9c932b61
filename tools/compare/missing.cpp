#include "tools/compare/missing.h"

#include <algorithm>

#include "tools/analysis/verdict.h"
#include "tools/analysis/wording.h"
#include "tools/compare/units.h"

namespace gilscope {
namespace {

using Members = std::vector<Member>;
using Block = std::pair<std::string, int>;  // a report and its block

// The blocks that a verdict needs.
constexpr size_t kEnough = VerdictLimits().min_blocks;

struct KindOfRuns {
  const char* name;
  RunTally CellRuns::*tally;
  std::vector<int> CellRuns::*blocks;
};
constexpr KindOfRuns kKinds[] = {{"untraced", &CellRuns::untraced, &CellRuns::untraced_blocks},
                                 {"traced", &CellRuns::traced, &CellRuns::traced_blocks}};

RunTally sum_of(const Members& members, RunTally CellRuns::*kind) {
  RunTally sum;
  for (const Member& member : members) sum += member.cell->tally.*kind;
  return sum;
}

std::string losses(const Members& members) {
  return loss_text(sum_of(members, &CellRuns::untraced), sum_of(members, &CellRuns::traced));
}

std::set<Block> blocks_of(const Members& members, const KindOfRuns& kind) {
  std::set<Block> blocks;
  for (const Member& member : members) {
    for (const int block : member.cell->tally.*kind.blocks) {
      blocks.emplace(member.report->id, block);
    }
  }
  return blocks;
}

std::set<std::string> boots_of(const Members& members, const KindOfRuns* left) {
  std::set<std::string> boots;
  for (const Member& member : members) {
    if (left && (member.cell->tally.*left->tally).compared == 0) continue;
    boots.insert(member.report->boot);
  }
  return boots;
}

// The observations that a side was planned to have, and those that it has.
struct Units {
  size_t planned = 0, left = 0;
};

Units units_of(const Members& members, const KindOfRuns& kind, Unit unit) {
  if (unit == Unit::boot) {
    return {boots_of(members, nullptr).size(), boots_of(members, &kind).size()};
  }
  return {sum_of(members, kind.tally).planned, blocks_of(members, kind).size()};
}

// Limits leave a run out here and there, and the rest is compared. They leave too little where no
// verdict is possible, or where they took more than they left.
bool too_little(const Units& of, const Units& other) {
  return of.left * 2 < of.planned ||
         (of.left < kEnough && std::max(of.planned, other.planned) >= kEnough);
}

class MissingOfCell {
 public:
  MissingOfCell(const CellResult& cell, const Contrast& contrast, const Axis& axis)
      : cell_(cell), contrast_(contrast), axis_(axis) {}

  std::vector<Missing> found() {
    for (const bool of_a : {true, false}) losses_of_side(of_a);
    const auto machines = per_machine(*cell_.pair, axis_);
    for (const MachineMembers& machine : machines) {
      for (const KindOfRuns& kind : kKinds) thin(machine, kind, machines.size() > 1);
    }
    if (machines.empty()) add("", "no machine has it on both sides");
    if (!machines.empty())
      std::ranges::for_each(cell_.machines_left_out, [&](auto& b) { left_out(b); });
    for (const bool of_a : {true, false}) uncaptured(of_a);
    return std::move(found_);
  }

 private:
  const std::string& level(bool of_a) const { return of_a ? contrast_.a : contrast_.b; }
  const Members& members(bool of_a) const { return of_a ? cell_.pair->a : cell_.pair->b; }

  void add(const std::string& side, std::string what, bool passes = false) {
    found_.push_back({side, cell_.name, std::move(what), passes});
  }

  void losses_of_side(bool of_a) {
    const std::string lost = losses(members(of_a));
    if (lost.empty()) return;
    bool passes = true;
    for (const KindOfRuns& kind : kKinds) {
      const RunTally sum = sum_of(members(of_a), kind.tally);
      passes = passes && sum.lost() == 0 && (sum.planned == 0 || sum.compared > 0);
    }
    add(level(of_a), lost, passes);
  }

  void thin(const MachineMembers& machine, const KindOfRuns& kind, bool name_machine) {
    const Units a = units_of(machine.a, kind, cell_.unit),
                b = units_of(machine.b, kind, cell_.unit);
    if (a.planned == 0 || b.planned == 0) return;  // uncaptured() has that
    const char* what = cell_.unit == Unit::boot ? "boot" : "block";
    const std::string where = name_machine ? " on " + machine.machine : "";
    if (cell_.design == Design::paired) {
      std::set<Block> both = blocks_of(machine.a, kind);
      const std::set<Block> of_b = blocks_of(machine.b, kind);
      std::erase_if(both, [&](const Block& block) { return !of_b.contains(block); });
      const Units pairs{std::max(a.planned, b.planned), both.size()};
      if (!too_little(pairs, pairs)) return;
      add("", fmt::format("{} of {} {} left with {} runs of both sides{}", pairs.left,
                          Wording::number_of(pairs.planned, what), pairs.left == 1 ? "is" : "are",
                          kind.name, where));
      return;
    }
    for (const bool of_a : {true, false}) {
      const Units& of = of_a ? a : b;
      if (!too_little(of, of_a ? b : a)) continue;
      if (of.left == 0 && !name_machine) continue;  // losses_of_side() has that
      add(level(of_a),
          of.left < of.planned
              ? fmt::format("{} of {} {} left with {} runs{}, too few to decide anything", of.left,
                            Wording::number_of(of.planned, what), of.left == 1 ? "is" : "are",
                            kind.name, where)
              : fmt::format("{} with {} runs{}, too few to decide anything; the other side has {}",
                            Wording::number_of(of.planned, what), kind.name, where,
                            (of_a ? b : a).planned));
    }
  }

  void left_out(const std::string& machine) {
    const auto has = [&](const Member& member) { return member.report->machine == machine; };
    const bool on_a = std::ranges::any_of(cell_.pair->a, has);
    add(level(!on_a),
        fmt::format("no report of machine {}, where {} was run", machine, level(on_a)));
  }

  // Primary metrics that the runs of only one side could measure.
  void uncaptured(bool of_a) {
    for (const KindOfRuns& kind : kKinds) {
      if (sum_of(members(of_a), kind.tally).planned > 0) continue;
      if (sum_of(members(!of_a), kind.tally).planned == 0) continue;
      std::vector<std::string> names;
      for (const MetricResult& result : cell_.metrics) {
        const auto has = [&](bool side) {
          return std::ranges::any_of(members(side), [&](const Member& member) {
            return !member.cell->values[result.metric].empty();
          });
        };
        if (result.primary && !result.absent_reason.empty() && !has(of_a) && has(!of_a)) {
          names.emplace_back(metrics()[result.metric].name);
        }
      }
      if (names.empty()) continue;
      add(level(of_a), fmt::format("no {} runs, and so no {}", kind.name, Wording::list(names)));
    }
  }

  const CellResult& cell_;
  const Contrast& contrast_;
  const Axis& axis_;
  std::vector<Missing> found_;
};

// Whether every report that has this cell has runs of the other level, too: then no plan crosses
// the two. A workload that lasts for a set time is not run in sequence, for example.
bool not_crossed(const Members& members, const Axis& axis, const std::string& other) {
  if (std::ranges::count(cell_keys(), axis.key) == 0) return false;
  return std::ranges::all_of(members, [&](const Member& member) {
    return std::ranges::any_of(member.report->cells, [&](const ComparedCell& cell) {
      return cell.keys.at(axis.key) == other;
    });
  });
}

}  // namespace

std::vector<Missing> missing_of(const CellResult& cell, const Contrast& contrast,
                                const Axis& axis) {
  return MissingOfCell(cell, contrast, axis).found();
}

std::vector<Missing> unmatched_of(const Contrast& contrast, const Axis& axis,
                                  const CellNames& names) {
  std::vector<Missing> found;
  for (const bool of_a : {true, false}) {
    const std::string& there = of_a ? contrast.a : contrast.b;
    const std::string& lacking = of_a ? contrast.b : contrast.a;
    for (const CellPair& pair : of_a ? contrast.only_a : contrast.only_b) {
      const Members& members = of_a ? pair.a : pair.b;
      const bool planned_so = not_crossed(members, axis, lacking);
      Missing missing{lacking, names.of(pair), "", planned_so};
      missing.what = planned_so ? fmt::format("not in the plan; {} has it", there)
                                : fmt::format("no such cell; {} has it", there);
      if (const std::string lost = losses(members); !lost.empty()) {
        missing.what += fmt::format(", where {}", lost);
        for (const KindOfRuns& kind : kKinds) {
          missing.passes = missing.passes && sum_of(members, kind.tally).lost() == 0;
        }
      }
      found.push_back(std::move(missing));
    }
  }
  return found;
}

std::vector<UnfinishedReport> unfinished(const std::vector<ComparedReport>& reports) {
  std::vector<UnfinishedReport> found;
  for (const ComparedReport& report : reports) {
    if (report.status == "done") continue;
    const bool known = std::ranges::any_of(
        found, [&](const UnfinishedReport& other) { return other.report == report.origin; });
    if (!known) {
      found.push_back({report.origin, report.status, report.blocks_begun, report.blocks_planned});
    }
  }
  return found;
}

}  // namespace gilscope
