// Which CPUs interrupts go to, and whether somebody moves them about.
#include <algorithm>
#include <cctype>

#include "userspace/experiment/environment/parts.h"

namespace gilscope {
namespace {

// By the names of the processes: where it keeps a file differs from one distribution to another.
Result<bool> irqbalance_runs(const Box& box) {
  const auto names = box.names("/proc");
  if (!names) return fail(names.error());
  bool any = false;
  for (const std::string& name : *names) {
    if (name.empty() || !std::all_of(name.begin(), name.end(),
                                     [](unsigned char c) { return std::isdigit(c) != 0; })) {
      continue;
    }
    // One that has ended meanwhile is not it.
    const auto command = box.line("/proc/" + name + "/comm");
    any = any || command.has_value();
    if (command && *command == "irqbalance") return true;
  }
  if (!any) return fail("/proc shows no process");
  return false;
}

}  // namespace

void add_interrupt_facts(const Box& box, FactList& facts) {
  // A mask in hexadecimal; interrupts that nobody has moved go there.
  facts.add("interrupts.default_affinity", box.line("/proc/irq/default_smp_affinity"));
  facts.add("interrupts.irqbalance", irqbalance_runs(box));
}

}  // namespace gilscope
