// A report's bytes as they stand in its file.
#pragma once

#include <string>

#include "userspace/util/result.h"

namespace gilscope {

// PATH is a report.json, a directory that holds one, or a page that carries one (`gilscope html`);
// a pipe is read to its end.
Result<std::string> read_report_text(const std::string& path);

// Whether the file is a page and not a report.
bool holds_page(const std::string& path);

// The report.json in an open directory that somebody else may have filled: a regular file, no link,
// no page. `path` names the directory in errors.
Result<std::string> read_report_below(int directory, const std::string& path);

}  // namespace gilscope
