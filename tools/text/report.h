// The report as text: one screen (tools/text/screen.h), or every table behind it.
#pragma once

#include <optional>
#include <ostream>
#include <string>

#include "tools/trace/report_findings.h"
#include "userspace/report/model.h"

namespace gilscope {

enum class Per { cpu, thread, block };

struct TextOptions {
  bool color = false;
  int width = 100;
  std::optional<Per> per;  // these tables alone, and nothing shortened
  bool all = false;        // every table
  // The report's path, as `gilscope show` takes it; empty: it was not kept.
  std::string report = {};
};

// Options for standard output: a terminal's width, and colour where the terminal knows it and
// NO_COLOR is not set.
TextOptions text_options_for_stdout();

// "build-box, Linux 6.1.0, AMD EPYC, 4 CPUs, in a VM (kvm)", as far as it is known.
std::string machine_in_a_line(const Facts& facts);

// `trace` holds the findings from the report's segments, where those are at hand.
void print_text_report(std::ostream& out, const Report& report, const TextOptions& options,
                       const ReportFindings& trace = {});

}  // namespace gilscope
