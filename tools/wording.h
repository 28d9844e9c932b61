// How cells are called in a report's text: by what tells them apart, and no more.
#pragma once

#include <string>
#include <vector>

#include "userspace/report/model.h"

namespace gilscope {

// What a report of emulated CPUs begins with.
inline constexpr const char* kEmulatedCpus =
    "EMULATED CPUs: no time means anything here, and none is shown. What is counted is counted "
    "exactly.";

class Wording {
 public:
  explicit Wording(const Report& report);

  // "2 threads", "1 thread"
  static std::string number_of(size_t n, const std::string& what);
  // "2 CPUs", "all 4 CPUs", "CPUs 0,2-3"
  static std::string cpus(const Cell& cell);
  // "a, b and c"
  static std::string list(const std::vector<std::string>& items);

  // "check-interval:100", and the workload, threads and so on where the report has several.
  std::string subject(const Cell& cell) const;
  // "check-interval:100, threaded on 2 CPUs"
  std::string cell(const Cell& cell) const;
  // The matrix in one line: what all cells share and what they differ in.
  std::string matrix() const;

 private:
  std::vector<std::string> policies_, workloads_, arrangements_, threads_, cpus_, cpus_by_,
      main_exits_;
};

}  // namespace gilscope
