// The changes to the box that have not been undone: written and synced before each is made, so that
// `gilscope restore` knows them after a kill -9 or a power cut. Text, one change a line, behind two
// lines that name the format and the boot.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "userspace/experiment/limit/change.h"
#include "userspace/experiment/limit/state_directory.h"
#include "userspace/util/fd.h"
#include "userspace/util/result.h"

namespace gilscope {

struct JournalText {
  std::string boot;  // /proc/sys/kernel/random/boot_id when it was written
  std::vector<Change> changes;
};

// A last line without an end was cut off while it was written, before its change was made: it is no
// part of the journal. Anything else that gilscope would not have written refuses the whole.
Result<JournalText> parse_journal(std::string_view text);

Result<std::string> this_boot();

class Journal {
 public:
  // Reads what an earlier process left. `boot` is this boot's id.
  static Result<Journal> open(const std::string& directory = kStateDirectory);

  // Whether there is a file, with changes in it or without.
  bool exists() const { return exists_; }
  const std::vector<Change>& changes() const { return changes_; }
  // Whether the changes were made in this boot: a reboot undoes every one of them.
  bool of_this_boot() const { return boot_ == this_boot_; }
  const std::string& path() const { return path_; }

  // On the disk when it returns.
  Status add(const Change& change);
  // The file is gone when it returns.
  Status clear();

 private:
  Status append(const std::string& text);

  std::string path_, boot_, this_boot_;
  Fd directory_, file_;
  bool exists_ = false;
  std::vector<Change> changes_;
};

// Fails, naming `gilscope restore`, where a journal is left. It is not undone unasked: whoever was
// interrupted may have set the box right by hand since, and a run has no business to set it wrong.
Status refuse_leftovers(const std::string& directory = kStateDirectory);

}  // namespace gilscope
