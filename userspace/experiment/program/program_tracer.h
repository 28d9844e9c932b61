// Traces the real programs of an experiment's runs, one at a time: the programs are loaded once and
// attached for each run.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "userspace/base/result.h"
#include "userspace/recording/followed.h"
#include "userspace/recording/search.h"
#include "userspace/report/model.h"
#include "userspace/report/out_dir.h"
#include "userspace/subject/subject.h"
#include "userspace/tracer/subject_tracer.h"

namespace gilscope {

class ProgramTracer {
 public:
  // Where a run's segments go; null: nowhere.
  struct Place {
    const OutDir* out = nullptr;
    std::string report_id;
    size_t cell = 0;
    int block = 0;
  };
  // A thread that is known before the window opens: it is the first, second ... of the run.
  struct Known {
    std::string name;
    std::optional<uint32_t> tid;  // in the first PID namespace
  };

  static Result<ProgramTracer> load(bool records);

  // Follows the process from the window's opening on.
  Status begin(pid_t pid, const Subject& subject, std::span<const Known> threads,
               const Place& place);
  // The same for a program that is not known yet: returns what its process calls before it executes
  // the program. look() finds out what it is, and looks for its GIL while it runs.
  Result<std::function<Status()>> begin_unknown(const Place& place);
  Status look(pid_t pid);
  Status open_window() { return tracer_.open_window(); }
  // Readable when records wait; drain() takes them, and the accounts of threads that have ended.
  int doorbell_fd() const { return tracer_.doorbell_fd(); }
  Status drain();
  // Closes the window and detaches.
  Status close_window();
  // The process that is traced, once look() has seen it; null: not yet.
  const FollowedProcess* process() const { return process_; }
  // Puts what was traced into the run.
  Status end(Run& run, std::span<const int> cpus);
  // Detaches, for an abandoned run.
  void abandon();

  Facts capabilities() const { return tracer_.capabilities(); }

 private:
  explicit ProgramTracer(SubjectTracer tracer) : tracer_(std::move(tracer)) {}

  SubjectTracer tracer_;
  std::string report_id_;
  std::unique_ptr<Followed> followed_;
  FollowedProcess* process_ = nullptr;
  Search search_;
};

}  // namespace gilscope
