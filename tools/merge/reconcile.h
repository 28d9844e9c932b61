// All copies of one report, held against each other: which is the latest, and where each file that
// it names is to be had.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "tools/merge/report_copy.h"

namespace gilscope {

struct Reconciled {
  const ReportCopy* latest = nullptr;
  std::map<std::string, const ReportCopy*> files;  // by name: a copy that has it
  std::vector<std::string> missing;                // nobody has these
};

// `copies` are of one id and at least one; of equal ones the first is taken. Fails, naming both
// files, where two copies contradict each other. The choice does not depend on the order.
Result<Reconciled> reconcile(const std::vector<const ReportCopy*>& copies);

}  // namespace gilscope
