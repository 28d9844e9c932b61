// The directory that `gilscope merge` fills: DIR/<id>/report.json with its other files, for each
// report. A report appears whole or not at all; an update adds other files first and replaces
// report.json last; nothing is deleted.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "tools/merge/reconcile.h"
#include "userspace/base/fd.h"
#include "userspace/base/result.h"

namespace gilscope {

class MergedDirectory {
 public:
  // Creates the directory, or opens one that is empty or that merge made. Refuses a symbolic link,
  // reports that do not lie under their ids, a directory with only other contents, and one that
  // another merge is writing to.
  static Result<MergedDirectory> open(const std::string& path);

  MergedDirectory(MergedDirectory&&) noexcept;
  MergedDirectory& operator=(MergedDirectory&&) = delete;
  ~MergedDirectory();  // removes a directory that it created if that is still empty

  // The reports that the directory already has.
  const std::vector<ReportCopy>& copies() const { return copies_; }

  // Adds a new report with all files that any copy has.
  Status add(const Reconciled& report);
  // Brings a report that is already there up to date.
  Status update(const ReportCopy& mine, const Reconciled& report);

 private:
  MergedDirectory() = default;
  Status scan();

  std::string path_;
  Fd directory_;  // locked while open
  bool made_ = false;
  std::vector<ReportCopy> copies_;
};

}  // namespace gilscope
