// A workload is what the threads do: a program for the eval loop, and what counts as one operation.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "userspace/eval/interpreter.h"
#include "userspace/util/result.h"

namespace gilscope {

struct WorkloadInfo {
  std::string name;        // "count:n=20M"
  std::string summary;     // one line
  std::string parameters;  // one line
};
const std::vector<WorkloadInfo>& workload_list();

class Workload {
 public:
  virtual ~Workload() = default;

  // The body of one measured thread; called, and left, with the GIL held. Returns the operations
  // that it did.
  virtual uint64_t run(Interpreter& interpreter) = 0;

  // How long main sleeps before it comes to its end, for runs with main_exit = "kill"; empty: not
  // at all.
  virtual std::optional<uint64_t> main_sleep_ns() const { return std::nullopt; }
};

// Checks a workload's text and returns its canonical form, or says what is wrong.
Result<std::string> canonical_workload(std::string_view text);

Result<std::unique_ptr<Workload>> make_workload(std::string_view text);

}  // namespace gilscope
