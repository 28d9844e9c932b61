// A directory with a report in it, looked at without believing it: one copy of that report, and
// which of the files that it names are there.
#pragma once

#include <string>
#include <vector>

#include "userspace/report/copies.h"
#include "userspace/util/result.h"

namespace gilscope {

struct ReportCopy {
  std::string path;    // of the directory
  std::string id;      // a UUID: it becomes a directory's name
  std::string digest;  // of report.json
  std::string box;     // the host's name; empty: the report does not say
  ReportState state;
  std::vector<std::string> files;    // that the report names and that are there; each its run's
  std::vector<std::string> missing;  // that it names and that are not

  std::string report() const { return path + "/report.json"; }
};

// Fails where it is no valid report, or names a file that is not its run's: not below the
// directory, a link, of another run, or of another length than the report says.
Result<ReportCopy> look_at_copy(const std::string& path);

// The report's bytes again, which must not have changed since.
Result<std::string> text_of(const ReportCopy& copy);

// The directories at and below `path` that hold a report, in the order of their names. A report's
// own directory is not looked into, nor is what is hidden. Symbolic links are not followed; those
// that lead to directories are added to `links`.
Result<std::vector<std::string>> find_reports(const std::string& path,
                                              std::vector<std::string>& links);

}  // namespace gilscope
