// A report's bytes as they stand in its file.
#pragma once

#include <string>

#include "userspace/util/result.h"

namespace gilscope {

// PATH is a report.json, a directory that holds one, or a page that carries one (`gilscope html`);
// a pipe is read to its end.
Result<std::string> read_report_text(const std::string& path);

}  // namespace gilscope
