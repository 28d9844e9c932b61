// The report's JSON, and its files. Nothing else in the tree knows the names of its keys;
// docs/report.md and docs/report.schema.json describe them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "userspace/base/result.h"
#include "userspace/report/model.h"

namespace gilscope {

std::string to_json(const Report& report);

// Checks major version and schema first, because a report is not trusted. `origin` names the text
// in errors.
Result<Report> from_json(std::string_view text, const std::string& origin);

// The violations of the schema, each "/cells/0/runs/2: ..."; empty: the report is valid. Fails with
// Exit::no_data where the text is no report at all (not JSON, another schema or major version).
Result<std::vector<std::string>> schema_violations(std::string_view text,
                                                   const std::string& origin);

// `path` is a report.json, or a directory that holds one.
Result<Report> read_report(const std::string& path);

// Writes to a temporary name in the same directory, syncs and renames, so that a reader sees the
// old report or the new one. Refuses to follow a symbolic link.
Status write_report(const Report& report, const std::string& path);

}  // namespace gilscope
