// Records real programs: enrols processes, traces them in a window, and makes the report.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "userspace/base/result.h"
#include "userspace/live/reader.h"
#include "userspace/report/model.h"
#include "userspace/subject/lock_name.h"

namespace gilscope {

class OutDir;

class Recorder {
 public:
  struct Options {
    std::string trace = "full";         // full | counters
    OutDir* out = nullptr;              // null: nothing is written
    std::string command;                // for the report's workload
    std::vector<std::string> argv;      // the command's words
    std::optional<LockName> lock = {};  // that is looked at in place of an interpreter's GIL
    bool ended_by_time = false;         // else by the command's end
    uint32_t max_threads = 8192;        // that are traced at one time
    uint64_t wrong_by = 0;              // for tests: added to every address of a GIL
    RecordingReader* reader = nullptr;  // gets what is recorded; then there is no report
  };

  // Loads and attaches the programs; nothing is traced yet.
  static Result<Recorder> start(const Options& options);
  ~Recorder();
  Recorder(Recorder&&) noexcept;
  Recorder& operator=(Recorder&&) = delete;

  // For a forked child (child.h): enrols the calling process.
  std::function<Status()> in_child();
  // Enrols a process that runs. Finds its interpreter first, and fails with the finder's line.
  Status follow(pid_t pid);
  // Opens the window.
  Status open();

  // Readable when there is something to do.
  std::vector<int> fds() const;
  // step() wants to be called at least so often; -1: only when a descriptor is readable.
  int timeout_ms() const;
  // Takes records, and finds the GILs of what was executed or has started a thread.
  Status step();
  // Traced processes that still run.
  size_t processes() const;

  // What is traced at the moment. The structures that it points to are the tracer's own.
  LiveState live();
  // A time before which everything is known once step() has been called again.
  uint64_t settled_ns() const;
  // Whether the reader gets segments from here on.
  void read_records(bool read);

  // Closes the window and detaches.
  Status close();
  // Why the GIL of an interpreter, or the lock, was not found when it was last looked for in vain;
  // empty: it never was.
  std::string why_not_found() const;
  // The report, which is also written. `usage` is empty where it is not known; `status` is "done"
  // or "interrupted".
  Result<Report> finish(const ResourceUsage* usage, const std::string& status);

 private:
  class Recording;
  explicit Recorder(std::unique_ptr<Recording> recording);

  std::unique_ptr<Recording> recording_;
};

}  // namespace gilscope
