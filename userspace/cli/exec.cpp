// `gilscope exec`: runs a program as the user who called sudo, at its own terminal, records it from
// its first instruction, and ends as it ended.
#include <signal.h>

#include <memory>
#include <optional>

#include "userspace/base/output.h"
#include "userspace/base/refusal.h"
#include "userspace/cli/recording.h"
#include "userspace/recording/child.h"
#include "userspace/recording/target.h"
#include "userspace/report/resource_usage.h"

namespace gilscope {
namespace {

struct ExecFlags {
  RecordingFlags recording;
  std::vector<std::string> command;
};

// The command while it runs.
class Execution {
 public:
  Execution(const ExecFlags& flags, Recorder& recorder, Child& child, Interrupt& interrupt,
            const RecordingDir& dir)
      : flags_(flags),
        recorder_(recorder),
        child_(child),
        interrupt_(interrupt),
        dir_(dir),
        watch_(recorder, interrupt, child.fd(), flags.recording.for_ns) {}

  Result<Exit> run(const ReportPrinter& print);

 private:
  void take(RecordingWatch::Event event);
  void pass_on(const Arrived& arrived);
  void end_recording(const std::string& status);
  // An error that ends the recording, but not the command.
  void give_up(const Error& error);
  void say(const std::string& text) const {
    if (!flags_.recording.quiet) write_message(text + "\n");
  }
  std::string runs_on() const {
    return fmt::format("the command runs on as process {}", child_.pid());
  }

  const ExecFlags& flags_;
  Recorder& recorder_;
  Child& child_;
  Interrupt& interrupt_;
  const RecordingDir& dir_;  // of the report
  RecordingWatch watch_;

  bool recording_ = true;
  bool waiting_ = true;
  int asked_to_end_ = 0;  // signals that were passed on
  std::optional<CommandEnd> ended_;
  std::optional<Report> report_;
  std::optional<Exit> failed_;  // its line has been written
};

void Execution::give_up(const Error& error) {
  recording_ = false;
  watch_.stop_recording();
  // Detaches; why the window could not be closed in order is known.
  static_cast<void>(recorder_.close());
  failed_ = write_error({error.code, ended_ ? error.message : error.message + "; " + runs_on()});
}

void Execution::end_recording(const std::string& status) {
  const size_t left = recorder_.processes();
  if (Status closed = recorder_.close(); !closed) return give_up(closed.error());
  recording_ = false;
  watch_.stop_recording();
  const auto usage =
      ended_ ? std::optional(resource_usage_of(ended_->usage)) : std::optional<ResourceUsage>();
  auto report = recorder_.finish(usage ? &*usage : nullptr, status);
  if (!report) return give_up(report.error());
  report_ = std::move(*report);
  if (ended_ && left > 0) {
    say(fmt::format("{} process{} that the command has left {} on, and {} recorded no more", left,
                    left == 1 ? "" : "es", left == 1 ? "runs" : "run", left == 1 ? "is" : "are"));
  }
  // Without --out the report is printed at the end, so as not to come between the command's output.
  if (!ended_ && !dir_.kept_as().empty()) {
    say(fmt::format("report: {}/report.json; {}", dir_.path(), runs_on()));
  }
}

// A terminal's keys have reached the command, too; its hang-up only its session's leader, which may
// be gilscope. Signals from elsewhere are passed on; who asks for the end again wants gilscope's.
void Execution::pass_on(const Arrived& arrived) {
  const bool own_limit = arrived.from == Arrived::From::itself || arrived.number == SIGXCPU;
  if (!own_limit && !ended_) {
    const bool of_terminal = arrived.from == Arrived::From::kernel;
    if (!of_terminal || arrived.number == SIGHUP) child_.signal(arrived.number);
    if (of_terminal) return;
    const bool means_end = arrived.number == SIGTERM || arrived.number == SIGHUP ||
                           arrived.number == SIGINT || arrived.number == SIGQUIT;
    if (!means_end || ++asked_to_end_ < 2) return;
  }
  if (recording_) end_recording("interrupted");
  waiting_ = false;
}

void Execution::take(RecordingWatch::Event event) {
  switch (event) {
    case RecordingWatch::Event::ended:
      ended_ = child_.wait();
      // With --for, the processes that it has left are recorded to the end of the time.
      if (recording_ && !(flags_.recording.for_ns && recorder_.processes() > 0)) {
        end_recording("done");
      }
      break;
    case RecordingWatch::Event::time_over:
    case RecordingWatch::Event::all_gone:
      end_recording("done");
      break;
    case RecordingWatch::Event::signal:
      pass_on(watch_.signal());
      break;
  }
}

Result<Exit> Execution::run(const ReportPrinter& print) {
  while (waiting_ && (recording_ || !ended_)) {
    const auto event = watch_.next();
    if (event) {
      take(*event);
    } else if (recording_) {
      give_up(event.error());
    } else {
      return fail(event.error());
    }
  }
  if (report_) {
    Status printed = print_recording(recorder_, *report_, flags_.recording, dir_, print);
    if (!printed) return fail(printed.error());
  }
  if (!waiting_) {
    return fail(Exit::interrupted, fmt::format("interrupted by {}{}", interrupt_.signal_name(),
                                               ended_ ? "" : "; " + runs_on()));
  }
  if (failed_) return *failed_;
  return static_cast<Exit>(ended_->exit_status());
}

Result<Exit> exec(const ExecFlags& flags, const ReportPrinter& print) {
  auto options = command_options();
  if (!options) return fail(options.error());
  // Never destroyed: no signal may end the process in the middle of its last steps.
  auto watched = Interrupt::watch();
  if (!watched) return fail(watched.error());
  auto* const interrupt = new Interrupt(std::move(*watched));
  auto out = RecordingDir::open(flags.recording);
  if (!out) return fail(out.error());
  auto recorder = Recorder::start({.trace = flags.recording.trace,
                                   .out = &out->get(),
                                   .command = command_text(flags.command),
                                   .argv = flags.command,
                                   .lock = flags.recording.lock,
                                   .ended_by_time = flags.recording.for_ns.has_value()});
  if (!recorder) return fail(recorder.error());
  options->in_child = recorder->in_child();
  auto child = Child::start(flags.command, *options);
  if (!child) return fail(child.error());
  if (Status opened = recorder->open(); !opened) return fail(opened.error());
  if (Status released = child->release(); !released) {
    static_cast<void>(recorder->close());
    return fail(released.error());
  }
  return Execution(flags, *recorder, *child, *interrupt, *out).run(print);
}

}  // namespace

void add_exec(CLI::App& app, Exit& exit, ReportPrinter print) {
  auto flags = std::make_shared<ExecFlags>();
  Command command(app, "exec", "run a program and report its GIL");
  command.rest("COMMAND", flags->command, "the program and its arguments").required();
  add_recording_flags(command, flags->recording,
                      "how long to record, such as 500ms, 10s or 2m; the program runs to its end");
  command.on_run(
      [flags, print = std::move(print), &exit] { exit = exit_of(gilscope::exec(*flags, print)); });
}

}  // namespace gilscope
