// How one metric of one cell differs between the sides, before it is judged.
#pragma once

#include "tools/analysis/judgement.h"
#include "tools/compare/comparison.h"
#include "tools/compare/units.h"

namespace gilscope {

// Why a time is absent that an emulator made up.
inline constexpr const char* kEmulated = "emulated";

bool is_emulated(const CellPair& pair);
// One of its cells is a real program.
bool is_of_subject(const CellPair& pair);

Result<MetricResult> metric_result(const CellPair& pair, const Axis& axis, size_t metric,
                                   const UnitNumbers& units);

// Judges all metrics of all cells together, the primary ones as one family and the others as
// another: what is looked at besides takes nothing from what was declared.
Status judge_results(Comparison& comparison);

}  // namespace gilscope
