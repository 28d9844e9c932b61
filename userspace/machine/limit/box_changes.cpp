#include "userspace/machine/limit/box_changes.h"

#include "userspace/base/exceptions.h"
#include "userspace/machine/limit/undo.h"

namespace gilscope {

Result<BoxChanges> BoxChanges::begin(const std::string& directory, Box box) {
  if (Status clean = refuse_leftovers(directory); !clean) return fail(clean.error());
  return left(directory, std::move(box));
}

Result<BoxChanges> BoxChanges::left(const std::string& directory, Box box) {
  auto journal = Journal::open(directory);
  if (!journal) return fail(journal.error());
  return BoxChanges(std::move(*journal), std::move(box));
}

BoxChanges::~BoxChanges() {
  // An exception here mostly means lack of memory. Whatever is not undone stays in the journal.
  static_cast<void>(without_exceptions([this] { return undo_all(); }));
}

Status BoxChanges::undo_all() {
  if (!journal_ || !journal_->exists() || !journal_->of_this_boot()) return {};
  Status first;
  const auto& changes = journal_->changes();
  for (auto change = changes.rbegin(); change != changes.rend(); ++change) {
    Status undone = undo(box_, *change);
    if (!undone && first) first = std::move(undone);
  }
  if (!first) {
    return fail(fmt::format("{}; {} keeps what is left to undo: try again with `gilscope restore`",
                            first.error().message, journal_->path()));
  }
  return journal_->clear();
}

}  // namespace gilscope
