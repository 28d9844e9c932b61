// The changes to the machine that have not been undone. Each is written and synced before it is
// made, so that `gilscope restore` knows it after a kill -9 or a power cut. The file is text: two
// lines that name the format and the boot, then one line per change.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "userspace/base/fd.h"
#include "userspace/base/result.h"
#include "userspace/machine/limit/change.h"
#include "userspace/machine/limit/state_directory.h"

namespace gilscope {

struct JournalText {
  std::string boot;  // /proc/sys/kernel/random/boot_id at the time of writing
  std::vector<Change> changes;
};

// Ignores a last line without a newline: its writer was stopped before making that change. Fails on
// anything else that gilscope would not have written.
Result<JournalText> parse_journal(std::string_view text);

Result<std::string> this_boot();

class Journal {
 public:
  // Reads what an earlier process left.
  static Result<Journal> open(const std::string& directory = kStateDirectory);

  // Whether the file exists, even without changes in it.
  bool exists() const { return exists_; }
  const std::vector<Change>& changes() const { return changes_; }
  // Whether the changes were made in this boot: a reboot undoes every one of them.
  bool from_this_boot() const { return boot_ == this_boot_; }
  const std::string& path() const { return path_; }

  // The change is on disk when this returns.
  Status add(const Change& change);
  // The file is removed when this returns.
  Status clear();

 private:
  Status append(const std::string& text);

  std::string path_, boot_, this_boot_;
  Fd directory_, file_;
  bool exists_ = false;
  std::vector<Change> changes_;
};

// Fails, naming `gilscope restore`, if a journal is left. It is never undone without being asked
// for: somebody may have repaired the machine by hand since, and undoing would break it again.
Status refuse_leftovers(const std::string& directory = kStateDirectory);

}  // namespace gilscope
