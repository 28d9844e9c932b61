// What is known of each workload without running it: its name and parameters, what one operation
// is, what ends a run. Lists, documents, completions, plans, views and tests are made from these
// descriptors; the programs are in userspace/workload. This room lies below both halves of the
// program: it is plain data and includes neither.
//
// Workload names are a contract: "count:n=20M", "echo:background=1,seconds=2s".
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "userspace/base/result.h"
#include "userspace/descriptor/parameters.h"

namespace gilscope {

struct WorkloadDescriptor {
  // What ends a run: its work, the time that its parameter `seconds` sets, or, with `seconds`, what
  // comes first.
  enum class Ends { by_work, by_time, by_time_if_given };

  // A measured thread "answered 300 requests".
  struct Operation {
    std::string done;           // "answered"
    std::string noun;           // "requests"
    std::string one;            // "a request answered": what counts as one
    bool at_set_times = false;  // the number is given, and only the waiting differs
  };

  std::string name;        // "echo"
  std::string summary;     // one line
  std::string whose = "";  // where it comes from, if it is not ours: "CPython's ccbench"
  std::vector<Parameter> parameters;
  uint64_t background = 0;  // computing threads beside the measured ones, unless told otherwise
  Ends ends = Ends::by_work;
  Operation operation;
  std::string latency = "";  // what a latency spans; empty: none is measured
  std::string brief;         // a short run, which tests of every workload make

  std::string example() const;  // "count:n=20M", its canonical text without any argument
  // `parameters`, and those that every workload has.
  std::vector<Parameter> all_parameters() const;
  // `task` is what the measured threads do, not those in the background.
  bool has_own_task() const;
};

// In the order in which lists show them.
const std::vector<WorkloadDescriptor>& workloads();

// The workload that a text names, whatever its parameters; null where this version knows none.
const WorkloadDescriptor* find_workload(std::string_view text);

// The tasks of computing threads (userspace/workload/tasks.h).
const std::vector<std::string>& task_names();

// The parameter `seconds` of a workload that lasts for a set time.
Parameter seconds_parameter(uint64_t fallback_ns);

// A workload's text, taken apart.
struct WorkloadText {
  const WorkloadDescriptor* workload;  // one of workloads()
  Parameters parameters;

  bool bounded_by_time() const;
};
// Says what is wrong with a bad text, and what there is.
Result<WorkloadText> read_workload(std::string_view text);
Result<std::string> canonical_workload(std::string_view text);

// Whether a run lasts as long as it was told to, and not until some work is done. One thread after
// the other would take longer by construction, so such runs have no sequential arrangement. False
// of a text that is no workload's.
bool lasts_a_set_time(std::string_view text);

}  // namespace gilscope
