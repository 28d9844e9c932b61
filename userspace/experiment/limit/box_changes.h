// What a run has changed on the box, as a guard: it is all as it was found when this is gone.
#pragma once

#include <memory>
#include <string>

#include "userspace/experiment/environment/box.h"
#include "userspace/experiment/limit/journal.h"
#include "userspace/util/result.h"

namespace gilscope {

class BoxChanges {
 public:
  // Refuses where an earlier process left a journal.
  static Result<BoxChanges> begin(const std::string& directory = kStateDirectory, Box box = Box());
  // With what an earlier process left, to be undone; nothing is made that is not there.
  static Result<BoxChanges> left(const std::string& directory = kStateDirectory, Box box = Box());

  BoxChanges(BoxChanges&&) noexcept = default;
  BoxChanges(const BoxChanges&) = delete;
  BoxChanges& operator=(const BoxChanges&) = delete;
  BoxChanges& operator=(BoxChanges&&) = delete;
  ~BoxChanges();  // undo_all(), where nobody is left to hear of an error: the journal stays then

  // Before the change is made.
  Status record(const Change& change) { return journal_->add(change); }

  // The last first. What fails does not keep the rest from being undone; the first error comes
  // back, and the journal stays.
  Status undo_all();

  const Journal& journal() const { return *journal_; }
  // For changes that the reboot since has undone.
  Status forget() { return journal_->clear(); }

 private:
  BoxChanges(Journal journal, Box box)
      : journal_(std::make_unique<Journal>(std::move(journal))), box_(std::move(box)) {}

  std::unique_ptr<Journal> journal_;  // none: moved from
  Box box_;
};

}  // namespace gilscope
