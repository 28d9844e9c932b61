#include "userspace/machine/limit/machine_changes.h"

#include "userspace/base/exceptions.h"
#include "userspace/machine/limit/undo.h"

namespace gilscope {

Result<MachineChanges> MachineChanges::begin(const std::string& directory, Machine machine) {
  if (Status clean = refuse_leftovers(directory); !clean) return fail(clean.error());
  return left(directory, std::move(machine));
}

Result<MachineChanges> MachineChanges::left(const std::string& directory, Machine machine) {
  auto journal = Journal::open(directory);
  if (!journal) return fail(journal.error());
  return MachineChanges(std::move(*journal), std::move(machine));
}

MachineChanges::~MachineChanges() {
  // An exception here mostly means lack of memory. Whatever is not undone stays in the journal.
  static_cast<void>(catch_exceptions([this] { return undo_all(); }));
}

Status MachineChanges::undo_all() {
  if (!journal_ || !journal_->exists() || !journal_->from_this_boot()) return {};
  Status first;
  const auto& changes = journal_->changes();
  for (auto change = changes.rbegin(); change != changes.rend(); ++change) {
    Status undone = undo(machine_, *change);
    if (!undone && first) first = std::move(undone);
  }
  if (!first) {
    return fail(fmt::format("{}; {} keeps what is left to undo: try again with `gilscope restore`",
                            first.error().message, journal_->path()));
  }
  return journal_->clear();
}

}  // namespace gilscope
