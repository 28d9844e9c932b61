// The changes that a run has made to the machine. The destructor undoes them.
#pragma once

#include <memory>
#include <string>

#include "userspace/base/result.h"
#include "userspace/machine/box.h"
#include "userspace/machine/limit/journal.h"

namespace gilscope {

class BoxChanges {
 public:
  // Fails if an earlier process left a journal.
  static Result<BoxChanges> begin(const std::string& directory = kStateDirectory, Box box = Box());
  // Loads the changes that an earlier process left, to undo them; creates no journal.
  static Result<BoxChanges> left(const std::string& directory = kStateDirectory, Box box = Box());

  BoxChanges(BoxChanges&&) noexcept = default;
  BoxChanges(const BoxChanges&) = delete;
  BoxChanges& operator=(const BoxChanges&) = delete;
  BoxChanges& operator=(BoxChanges&&) = delete;
  ~BoxChanges();  // calls undo_all(); if that fails, the journal stays

  // Call it before making the change.
  Status record(const Change& change) { return journal_->add(change); }

  // Undoes all changes, the last one first. A failure does not stop the rest; the first error is
  // returned, and the journal stays.
  Status undo_all();

  const Journal& journal() const { return *journal_; }
  // Drops the journal, for changes that a reboot has undone.
  Status forget() { return journal_->clear(); }

 private:
  BoxChanges(Journal journal, Box box)
      : journal_(std::make_unique<Journal>(std::move(journal))), box_(std::move(box)) {}

  std::unique_ptr<Journal> journal_;  // null after a move
  Box box_;
};

}  // namespace gilscope
