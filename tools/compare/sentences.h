// The words of a comparison, shared by every view.
#pragma once

#include <string>
#include <vector>

#include "tools/compare/comparison.h"

namespace gilscope {

// "by cpus: all against 1"
std::string title(const Comparison& comparison);
// How the comparison was made, how it was judged, and how to read it.
std::vector<std::string> method_lines(const Comparison& comparison);
// The reasons that --force overrode; empty without it.
std::vector<std::string> forced_warnings(const ContrastResult& contrast, bool forced);
// Missing things, one line each with the cells that lack them: those that are a reason to fail, and
// those that are not.
struct MissingLines {
  std::string heading;  // empty where nothing is missing
  std::vector<std::string> lines;
};
MissingLines missing_lines(const Comparison& comparison);
MissingLines left_out_lines(const Comparison& comparison);
// A warning about emulated CPUs; empty where there were none.
std::string emulation_line(const Comparison& comparison);
// Differences that nobody asked about, and keys that vary within a side.
std::vector<std::string> difference_lines(const ContrastResult& contrast);
// "check-interval:100, threaded: slower with all CPUs than with 1 CPU: wall time 1.57x (1.50x to
// 1.66x), 8 blocks against 8; primary metrics: 10 slower and 2 same."
std::string sentence(const CellResult& cell, const Contrast& contrast, const Axis& axis);
// "all CPUs" for the level "all" of the axis "cpus".
std::string level_name(const Axis& axis, const std::string& level);
// Names of all levels in their order, short enough to head columns, and still different.
std::vector<std::string> short_names(const Axis& axis, size_t room);
// The number of each verdict, and the exit code that follows.
std::string conclusion(const Comparison& comparison);

// "wall time", "contended a second"
std::string shown_name(const Metric& metric);
// "1.62x", "+65.3 points"; also for one machine.
std::string change_text(const MetricResult& result);
std::string change_text(const Metric& metric, const Effect& effect);
// "1.50 to 1.66", "+60.1 to +70.2 points"
std::string interval_text(const MetricResult& result);
std::string interval_text(const Metric& metric, const Effect& effect);
std::string p_text(const std::optional<double>& p);
// "12"; "6+" where it may take more; ">100" where it is not worth it; "" where it is decided.
std::string more_text(const MetricResult& result);

}  // namespace gilscope
