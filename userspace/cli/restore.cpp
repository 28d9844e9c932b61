// `gilscope restore`: undoes what an interrupted run left changed on this box.
#include <unistd.h>

#include "userspace/cli/cli.h"
#include "userspace/experiment/interrupt.h"
#include "userspace/experiment/limit/box_changes.h"
#include "userspace/experiment/limit/patient_lock.h"
#include "userspace/util/command.h"
#include "userspace/util/output.h"
#include "userspace/util/refusal.h"

namespace gilscope {
namespace {

// What was done, for standard output.
Result<std::string> restore() {
  if (Status there = require_proc(); !there) return fail(there.error());
  if (::geteuid() != 0) {
    return fail(Exit::unable,
                "restore changes the box back: run it as root (sudo gilscope restore)");
  }
  // No signal leaves it half done: it takes no longer than it has to.
  auto watched = Interrupt::watch();
  if (!watched) return fail(watched.error());
  // Not while an experiment runs: the changes in the journal are its own.
  const auto lock = take_box_lock();
  if (!lock) return fail(lock.error());
  auto changes = BoxChanges::left();
  if (!changes) return fail(changes.error());
  const Journal& journal = changes->journal();
  if (!journal.exists()) return "There is nothing to undo.\n";
  const std::vector<Change> found = journal.changes();
  if (found.empty() || !journal.of_this_boot()) {
    if (Status gone = changes->forget(); !gone) return fail(gone.error());
    return found.empty() ? "There is nothing to undo.\n"
                         : fmt::format(
                               "The box was booted since, which undid the {} change{} of "
                               "the run that was interrupted.\n",
                               found.size(), found.size() == 1 ? "" : "s");
  }
  if (Status undone = changes->undo_all(); !undone) return fail(undone.error());
  std::string out;
  for (auto change = found.rbegin(); change != found.rend(); ++change) {
    out += fmt::format("Put back: {}.\n", in_words(*change));
  }
  return out;
}

}  // namespace

void add_restore(CLI::App& app, Exit& exit) {
  Command command(app, "restore", "undo what an interrupted run left changed on this box");
  command.on_run([&exit] {
    const auto done = restore();
    exit = done ? exit_of(write_output(*done)) : write_error(done.error());
  });
}

}  // namespace gilscope
