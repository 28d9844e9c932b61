// One copy of a report: a directory with the report and those of its files that exist. Its contents
// are not trusted.
#pragma once

#include <string>
#include <vector>

#include "userspace/base/result.h"
#include "userspace/report/copies.h"

namespace gilscope {

struct ReportCopy {
  std::string path;     // of the directory
  std::string id;       // a UUID, safe to use as a directory's name
  std::string digest;   // of report.json
  std::string machine;  // the host's name; empty if the report does not have it
  ReportState state;
  std::vector<std::string> files;    // named by the report, and checked to be its runs' files
  std::vector<std::string> missing;  // named by the report, but absent

  std::string report() const { return path + "/report.json"; }
};

// Fails if the report is not valid, or names a file that is not its run's: not below the directory,
// a link, of another run, or of another length than the report says.
Result<ReportCopy> inspect_copy(const std::string& path);

// Reads the report again; fails if it has changed since inspect_copy().
Result<std::string> text_of(const ReportCopy& copy);

// The directories at and below `path` that hold a report, in the order of their names. Does not
// search a report's own directory or hidden ones. Does not follow symbolic links, but adds those to
// directories to `links`.
Result<std::vector<std::string>> find_reports(const std::string& path,
                                              std::vector<std::string>& links);

}  // namespace gilscope
