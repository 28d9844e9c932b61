// The names of cells in a report's text: by what tells them apart, and no more.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "userspace/descriptor/workload.h"
#include "userspace/report/model.h"

namespace gilscope {

// The first line of a report of emulated CPUs.
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

  // "CPython 3.11.2"; the name alone where the version is not known.
  static std::string interpreter(const CellSubject& subject);

  // How a measured thread's work is put: it "answered" so many "requests". Of a workload that this
  // version does not know it "did operations".
  static WorkloadDescriptor::Operation operation(const Cell& cell);

  // "check-interval:100"; of a real program in an experiment "CPython 2.7.18, check-interval=10",
  // or the whole text where two of them would have the same name.
  std::string policy(const Cell& cell) const;
  // The same, and the workload, threads and so on where the report has several. Of a recorded
  // program "CPython 3.11.2, PID 1234".
  std::string subject(const Cell& cell) const;
  // "check-interval:100, threaded on 2 CPUs"
  std::string cell(const Cell& cell) const;
  // The matrix in one line: what the cells share and where they differ.
  std::string matrix() const;

 private:
  std::map<std::string, std::string> names_;  // of policies that are real programs
  std::vector<std::string> policies_, workloads_, arrangements_, threads_, cpus_, cpus_by_,
      main_exits_;
};

}  // namespace gilscope
