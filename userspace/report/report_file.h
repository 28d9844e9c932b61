// Reads the bytes of a report's file.
#pragma once

#include <string>

#include "userspace/base/result.h"

namespace gilscope {

// `path` is a report.json, a directory that holds one, or a page that carries one (`gilscope
// html`); a pipe is read to its end.
Result<std::string> read_report_text(const std::string& path);

// Whether the file is a page and not a report.
bool is_page_file(const std::string& path);

// Reads the report.json in an open directory that is not trusted: it must be a regular file, not a
// link, and not a page. `path` names the directory in errors.
Result<std::string> read_report_below(int directory, const std::string& path);

}  // namespace gilscope
