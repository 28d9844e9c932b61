// Shared by `exec` and `attach`: their options, and a recording while it goes on.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "userspace/base/command.h"
#include "userspace/base/interrupt.h"
#include "userspace/base/result.h"
#include "userspace/cli/cli.h"
#include "userspace/recording/child.h"
#include "userspace/recording/recorder.h"
#include "userspace/report/model.h"
#include "userspace/report/out_dir.h"

namespace gilscope {

struct RecordingFlags {
  std::optional<LockName> lock;
  std::optional<uint64_t> for_ns;
  std::string out, trace = "full";
  bool quiet = false, json = false, all = false;
  // --for 0: until Ctrl-C or the process's end; not for a recording that keeps its segments.
  bool endless = false, may_be_endless = false;
};

// `into` and `flags` must outlive the parsing.
void add_lock_flag(Command& command, std::optional<LockName>& into);
void add_recording_flags(Command& command, RecordingFlags& flags, const std::string& what_for_does);

// Fails, with the way out, on a machine that cannot trace. Changes nothing.
Status require_recording();

// How exec and top start a command: as the user who called sudo, and with what this process
// inherited, which is looked at first. Fails as require_recording() does.
Result<ChildOptions> command_options();

// The directory for a new report: that of --out or, without, one that is removed when its report
// has been printed, since the screen is made from the segments. One that holds a report is refused:
// each recording is a measurement of its own. A directory that was made for nothing is removed
// again.
class RecordingDir {
 public:
  static Result<RecordingDir> open(const RecordingFlags& flags);
  ~RecordingDir();
  RecordingDir(RecordingDir&& other) noexcept;
  RecordingDir& operator=(RecordingDir&&) = delete;

  OutDir& get() { return *directory_; }
  std::string path() const { return directory_->path(); }
  // The path as messages have it; empty: it does not stay.
  std::string kept_as() const { return temporary_ ? "" : path(); }

 private:
  RecordingDir() = default;

  std::optional<OutDir> directory_;
  bool made_ = false, temporary_ = false;
};

// Prints the report on standard output. Fails if there is nothing in it, or if it cannot be
// printed.
Status print_recording(const Recorder& recorder, const Report& report, const RecordingFlags& flags,
                       const RecordingDir& dir, const ReportPrinter& print);

// Takes records, and waits for what may end the recording.
class RecordingWatch {
 public:
  enum class Event {
    ended,      // the process
    time_over,  // of --for
    all_gone,   // no traced process is left; after `ended` only
    signal,     // signal() says which
  };

  // `process` is a pidfd. `for_ns` counts from now.
  RecordingWatch(Recorder& recorder, Interrupt& interrupt, int process,
                 std::optional<uint64_t> for_ns);

  // The next event. An error is the recorder's: call stop_recording() then.
  Result<Event> next();
  const Arrived& signal() const { return signal_; }
  // From here on only the process and signals are waited for.
  void stop_recording() { recorder_ = nullptr; }

 private:
  int timeout_ms() const;

  Recorder* recorder_;
  Interrupt& interrupt_;
  int process_;
  std::optional<uint64_t> deadline_ns_;
  bool ended_ = false;
  Arrived signal_;
};

}  // namespace gilscope
