// `gilscope restore`: undoes the changes that a killed run left on this machine.
#include <unistd.h>

#include "userspace/base/command.h"
#include "userspace/base/interrupt.h"
#include "userspace/base/output.h"
#include "userspace/base/refusal.h"
#include "userspace/cli/cli.h"
#include "userspace/machine/limit/machine_changes.h"
#include "userspace/machine/limit/patient_lock.h"

namespace gilscope {
namespace {

// Returns the text for standard output: what was undone.
Result<std::string> restore() {
  if (Status there = require_proc(); !there) return fail(there.error());
  if (::geteuid() != 0) {
    return fail(Exit::unable,
                "restore changes system settings: run it as root (sudo gilscope restore)");
  }
  // Blocks signals, so that none leaves the work half done.
  auto watched = Interrupt::watch();
  if (!watched) return fail(watched.error());
  // Refuses while an experiment runs: the changes in the journal are that experiment's.
  const auto lock = take_machine_lock();
  if (!lock) return fail(lock.error());
  auto changes = MachineChanges::left();
  if (!changes) return fail(changes.error());
  const Journal& journal = changes->journal();
  if (!journal.exists()) return "There is nothing to undo.\n";
  const std::vector<Change> found = journal.changes();
  if (found.empty() || !journal.from_this_boot()) {
    if (Status gone = changes->forget(); !gone) return fail(gone.error());
    return found.empty() ? "There is nothing to undo.\n"
                         : fmt::format(
                               "The machine has rebooted since, which undid the {} change{} of "
                               "the interrupted run.\n",
                               found.size(), found.size() == 1 ? "" : "s");
  }
  if (Status undone = changes->undo_all(); !undone) return fail(undone.error());
  std::string out;
  for (auto change = found.rbegin(); change != found.rend(); ++change) {
    out += fmt::format("Restored: {}.\n", change_description(*change));
  }
  return out;
}

}  // namespace

void add_restore(CLI::App& app, Exit& exit) {
  Command command(app, "restore", "undo the changes that a killed run left on this machine");
  command.on_run([&exit] {
    const auto done = restore();
    exit = done ? exit_of(write_output(*done)) : write_error(done.error());
  });
}

}  // namespace gilscope
