// A report's answer in a sentence or two, and in a line each what limits it.
#pragma once

#include <string>
#include <vector>

#include "tools/analysis/findings.h"
#include "tools/trace/report_findings.h"

namespace gilscope {

// Its claim, or else its leading finding; then, in one sentence, what became of the others. Empty
// where there is nothing to say.
// Of real programs: whose fault it is that threads waited.
std::vector<std::string> headline(const Report& report, const Summary& summary,
                                  const Wording& wording, const ReportFindings& trace);

// What was lost, left out, stolen, changed on the way and failed, and what tracing cost: a line
// each, in short. print_disturbances() has all of it.
std::vector<std::string> short_disturbances(const Report& report, const Summary& summary,
                                            const Wording& wording, const ReportFindings& trace);

// "host, Linux 6.18, AMD EPYC, 2 CPUs", the matrix, the blocks: a line each. A matrix that would
// fill more than `matrix_columns` is counted instead.
std::vector<std::string> what_and_where(const Report& report, const Summary& summary,
                                        const Wording& wording, size_t matrix_columns);

// Warnings that a reader needs before any number: emulated CPUs, a self-test that failed, a page's
// incomplete copy, a report that is not finished.
std::vector<std::string> warnings(const Report& report, const Summary& summary);

}  // namespace gilscope
