// A real interpreter that runs the kit's script of a workload (userspace/experiment/scripts), and
// this test in the engine's place, with the client of the kit's own at the other end of
// connections.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <iosfwd>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "tests/interpreters/subjects.h"
#include "userspace/base/fd.h"
#include "userspace/base/interrupt.h"
#include "userspace/base/result.h"
#include "userspace/experiment/run/client.h"
#include "userspace/workload/samples.h"
#include "userspace/workload/workload.h"

namespace gilscope {

struct DrivenScriptOptions {
  size_t threads = 2;
  bool threaded = true, join_at_end = true;
  std::optional<uint64_t> switch_interval_ns = {}, check_interval = {};
  bool broken = false;  // none of the descriptors that it gets is open
};

class DrivenScript {
 public:
  // `workload`: "echo:seconds=60ms". Returns once the interpreter was executed.
  static Result<std::unique_ptr<DrivenScript>> start(const Installed& interpreter,
                                                     const std::string& workload,
                                                     const DrivenScriptOptions& options = {});
  ~DrivenScript();  // kills it
  DrivenScript(const DrivenScript&) = delete;
  DrivenScript& operator=(const DrivenScript&) = delete;

  pid_t pid() const { return pid_; }
  // The next object that it writes; null at the end of the pipe, and after half a minute.
  nlohmann::json next();
  // Whether it writes something within such a time.
  bool says_something(int within_ms) const;
  void say(const std::string& word);
  // The conversation begins.
  void begin() { workload_->begin(); }
  void close_gate() { gate_ = Fd(); }
  // Its exit code, or 128 + the signal that ended it; 255: it goes on for half a minute.
  int wait();
  // Its standard output and error; nothing is expected there.
  std::string printed() const;

  // The client's requests, and the latencies that it measured.
  double sent() const;
  size_t samples_of_client() const;

 private:
  explicit DrivenScript(Interrupt interrupt) : interrupt_(std::move(interrupt)) {}

  Interrupt interrupt_;
  std::unique_ptr<Workload> workload_;
  SampleBook book_;
  std::optional<ClientProcess> client_;
  pid_t pid_ = -1;
  Fd gate_, results_, printed_;
  std::string read_;
};

// python, pypy, ruby or jython
std::string kind_of(const Installed& interpreter);

// For GoogleTest's messages.
void PrintTo(const Installed& interpreter, std::ostream* out);

}  // namespace gilscope
