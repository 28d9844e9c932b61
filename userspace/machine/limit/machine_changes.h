// The changes that a run has made to the machine. The destructor undoes them.
#pragma once

#include <memory>
#include <string>

#include "userspace/base/result.h"
#include "userspace/machine/limit/journal.h"
#include "userspace/machine/machine.h"

namespace gilscope {

class MachineChanges {
 public:
  // Fails if an earlier process left a journal.
  static Result<MachineChanges> begin(const std::string& directory = kStateDirectory,
                                      Machine machine = Machine());
  // Loads the changes that an earlier process left, to undo them; creates no journal.
  static Result<MachineChanges> left(const std::string& directory = kStateDirectory,
                                     Machine machine = Machine());

  MachineChanges(MachineChanges&&) noexcept = default;
  MachineChanges(const MachineChanges&) = delete;
  MachineChanges& operator=(const MachineChanges&) = delete;
  MachineChanges& operator=(MachineChanges&&) = delete;
  ~MachineChanges();  // calls undo_all(); if that fails, the journal stays

  // Call it before making the change.
  Status record(const Change& change) { return journal_->add(change); }

  // Undoes all changes, the last one first. A failure does not stop the rest; the first error is
  // returned, and the journal stays.
  Status undo_all();

  const Journal& journal() const { return *journal_; }
  // Drops the journal, for changes that a reboot has undone.
  Status forget() { return journal_->clear(); }

 private:
  MachineChanges(Journal journal, Machine machine)
      : journal_(std::make_unique<Journal>(std::move(journal))), machine_(std::move(machine)) {}

  std::unique_ptr<Journal> journal_;  // null after a move
  Machine machine_;
};

}  // namespace gilscope
