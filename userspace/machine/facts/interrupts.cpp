// Which CPUs interrupts go to, and whether irqbalance moves them.
#include <algorithm>
#include <cctype>

#include "userspace/machine/facts/parts.h"

namespace gilscope {
namespace {

// Looks for the process by name, because the place of irqbalance's files differs between
// distributions.
Result<bool> irqbalance_runs(const Machine& machine) {
  const auto names = machine.names("/proc");
  if (!names) return fail(names.error());
  bool any = false;
  for (const std::string& name : *names) {
    if (name.empty() || !std::all_of(name.begin(), name.end(),
                                     [](unsigned char c) { return std::isdigit(c) != 0; })) {
      continue;
    }
    // Skips a process that has ended meanwhile.
    const auto command = machine.line("/proc/" + name + "/comm");
    any = any || command.has_value();
    if (command && *command == "irqbalance") return true;
  }
  if (!any) return fail("/proc shows no process");
  return false;
}

}  // namespace

void add_interrupt_facts(const Machine& machine, FactList& facts) {
  // A hexadecimal mask of the CPUs that interrupts go to by default.
  facts.add("interrupts.default_affinity", machine.line("/proc/irq/default_smp_affinity"));
  facts.add("interrupts.irqbalance", irqbalance_runs(machine));
}

}  // namespace gilscope
