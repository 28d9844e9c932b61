// The part of JSON Schema (draft 4) that docs/report.schema.json uses.
#pragma once

#include <string_view>

#include "userspace/base/result.h"

namespace gilscope {

// Fails if the schema has a keyword, or a keyword a form, that check_schema would not check.
Status check_keywords(std::string_view schema);

}  // namespace gilscope
