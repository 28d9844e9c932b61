// The directory that `gilscope merge` fills: DIR/<id>/report.json and what belongs to it, one for
// each report. A report appears whole or not at all, and is brought up to date by files that are
// added first and its report.json last; nothing is deleted.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "tools/merge/reconcile.h"
#include "userspace/util/fd.h"
#include "userspace/util/result.h"

namespace gilscope {

class MergedDirectory {
 public:
  // Makes the directory, or takes one that is empty or was made by merge. Refuses a symbolic link,
  // reports that do not lie under their ids, other things alone, and a directory that another merge
  // is writing.
  static Result<MergedDirectory> open(const std::string& path);

  MergedDirectory(MergedDirectory&&) noexcept;
  MergedDirectory& operator=(MergedDirectory&&) = delete;
  ~MergedDirectory();  // a directory that was made and in which nothing was put is gone

  // What is there already.
  const std::vector<ReportCopy>& copies() const { return copies_; }

  // Puts a report there that is not, with all the files that are to be had.
  Status add(const Reconciled& report);
  // Brings one up to date that is.
  Status update(const ReportCopy& mine, const Reconciled& report);

 private:
  MergedDirectory() = default;
  Status scan();

  std::string path_;
  Fd directory_;  // locked while it is open
  bool made_ = false;
  std::vector<ReportCopy> copies_;
};

}  // namespace gilscope
