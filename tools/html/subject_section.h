// The part of a page that is about a real program alone.
#pragma once

#include <string>

#include "tools/analysis/numbers.h"
#include "tools/trace/trace_findings.h"
#include "userspace/report/model.h"

namespace gilscope {

// Which process it was, its sentence, its counts with their bounds, its self-test, and how long
// each thread waited and kept others waiting.
std::string subject_section(const Cell& cell, const CellFindings* found, const Times& times);

}  // namespace gilscope
