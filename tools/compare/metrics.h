// What compare compares: one number a block. docs/metrics.md, "Compared", defines each.
#pragma once

#include <string>
#include <vector>

#include "tools/analysis/effect.h"
#include "tools/analysis/verdict.h"
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
  // A difference of two such values, with its sign.
  Number difference(std::optional<double> value) const;
};

// The least difference that matters of each kind, where sides have one and no ratio: 2 percentage
// points, one a second, one in a thousand acquisitions, a microsecond, 0.02 of a factor. They go
// with a minimum effect of 2 %, and with it.
double minimum_difference(Metric::Unit unit, double min_effect);

// Shares are a difference of percentage points whatever they are; what is 0 in a block is a
// difference, too.
Scale scale_of(const Metric& metric, const std::vector<const Side*>& sides);

// Primary ones first. A metric's place here is its index everywhere.
const std::vector<Metric>& metrics();
std::optional<size_t> find_metric(const std::string& name);

// By metric; a block that did not measure one has no value there.
using MetricValues = std::vector<std::vector<BlockValue>>;

// Of a cell's measured, finished runs that no gate has left out. `sequential` is the cell that its
// threaded runs are held against, `trace` what its segments tell; either may be null.
MetricValues metric_values(const Cell& cell, const Cell* sequential, const CellFindings* trace);

}  // namespace gilscope
