// Compares all copies of one report: which is the latest, and which copy has each file that it
// names.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "tools/merge/report_copy.h"

namespace gilscope {

struct Reconciled {
  const ReportCopy* latest = nullptr;
  std::map<std::string, const ReportCopy*> files;  // by name: a copy that has it
  std::vector<std::string> missing;                // in no copy
};

// `copies` must share one id and not be empty; of equal copies, the first is used. Fails, naming
// both files, if two copies contradict each other. The choice does not depend on the order.
Result<Reconciled> reconcile(const std::vector<const ReportCopy*>& copies);

}  // namespace gilscope
