// What compare compares: one number a block. docs/metrics.md, "Compared", defines each.
#pragma once

#include <string>
#include <vector>

#include "tools/compare/effect.h"
#include "tools/compare/verdict.h"
#include "tools/numbers.h"
#include "tools/trace/trace_findings.h"
#include "userspace/report/model.h"

namespace gilscope {

struct Metric {
  enum class Unit { time, share, rate, each, factor };  // each: an acquisition

  const char* name;   // as scripts and specs know it
  const char* shown;  // as tables do
  Unit unit;
  Better better;
  bool primary;  // where the spec declares none
  bool of_time;  // made of a time: says nothing on emulated CPUs

  Number number(std::optional<double> value) const;
};

// Primary ones first. A metric's place here is its index everywhere.
const std::vector<Metric>& metrics();
std::optional<size_t> find_metric(const std::string& name);

// By metric; a block that did not measure one has no value there.
using MetricValues = std::vector<std::vector<BlockValue>>;

// Of a cell's measured, finished runs that no gate has left out. `sequential` is the cell that its
// threaded runs are held against, `trace` what its segments tell; either may be null.
MetricValues metric_values(const Cell& cell, const Cell* sequential, const CellFindings* trace);

}  // namespace gilscope
