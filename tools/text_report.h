// The report as text: what was found in plain sentences first, then the tables behind them.
#pragma once

#include <optional>
#include <ostream>
#include <string>

#include "tools/trace/report_findings.h"
#include "userspace/report/model.h"

namespace gilscope {

enum class Per { core, thread, block };

struct TextOptions {
  bool color = false;
  int width = 100;
  std::optional<Per> per;  // these tables alone, and nothing shortened
};

// For standard output: its width where it is a terminal; colour where it is one that knows it and
// NO_COLOR is not set.
TextOptions text_options_for_stdout();

// "build-box, Linux 6.1.0, AMD EPYC, 4 CPUs, in a VM (kvm)", as far as it is known.
std::string box_in_a_line(const Facts& facts);

// `trace` is what the report's segments tell, where they are at hand.
void print_text_report(std::ostream& out, const Report& report, const TextOptions& options,
                       const ReportFindings& trace = {});

}  // namespace gilscope
