// The metrics of compare, one number a block: the METRIC rows of bpf/numbers.def, and each CPU row
// that compare is to have.
#pragma once

#include <string>
#include <vector>

#include "tools/analysis/effect.h"
#include "tools/analysis/numbers.h"
#include "tools/analysis/verdict.h"
#include "tools/trace/trace_findings.h"
#include "userspace/report/model.h"

namespace gilscope {

struct Metric {
  // each: an acquisition
  enum class Unit {
#define UNIT(unit, ...) unit,
#include "bpf/numbers.def"
  };

  const char* name;   // as scripts and specs know it
  const char* shown;  // in tables
  Unit unit;
  Better better;
  bool primary;      // where the spec declares none
  bool of_time;      // made of a time: meaningless on emulated CPUs
  bool of_subjects;  // models have none

  Number number(std::optional<double> value) const;
  // A difference of two such values, with its sign.
  Number difference(std::optional<double> value) const;
};

// The least difference that matters, where sides have a difference and no ratio: that of the unit's
// row for a minimum effect of 2 %, and in proportion for others.
double minimum_difference(Metric::Unit unit, double min_effect);

// Shares always have a difference, in percentage points; so has a metric that is 0 in some block.
Scale scale_of(const Metric& metric, const std::vector<const Side*>& sides);

// In the order of their rows, primary ones first. A metric's place here is its index everywhere.
const std::vector<Metric>& metrics();
std::optional<size_t> find_metric(const std::string& name);

// By metric; a block that did not measure one has no value there.
using MetricValues = std::vector<std::vector<BlockValue>>;

// Of a cell's measured, finished runs that no disturbance limit left out. `sequential` is the cell
// that its threaded runs are compared with, `trace` what its segments tell; either may be null.
MetricValues metric_values(const Cell& cell, const Cell* sequential, const CellFindings* trace);

}  // namespace gilscope
