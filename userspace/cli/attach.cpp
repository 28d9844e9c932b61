// `gilscope attach`: records a process that runs, and reports it. The process is only read.
#include <memory>

#include "userspace/base/output.h"
#include "userspace/cli/metrics.h"
#include "userspace/cli/recording.h"
#include "userspace/live/picture.h"
#include "userspace/machine/machine.h"
#include "userspace/recording/target.h"
#include "userspace/recording/window.h"

namespace gilscope {
namespace {

struct AttachFlags {
  RecordingFlags recording;
  std::string pid, metrics;
};

// Whether the time of --for, or the process, came to its end; false for a signal before that.
Result<bool> record(Recorder& recorder, Interrupt& interrupt, const Target& target,
                    const RecordingFlags& flags) {
  RecordingWatch watch(recorder, interrupt, target.process.get(), flags.for_ns);
  for (;;) {
    const auto event = watch.next();
    if (!event) return fail(event.error());
    switch (*event) {
      case RecordingWatch::Event::ended:
        // With --for, the processes that it has left are recorded to the end of the time.
        if (!flags.for_ns || recorder.processes() == 0) return true;
        break;
      case RecordingWatch::Event::time_over:
      case RecordingWatch::Event::all_gone:
        return true;
      case RecordingWatch::Event::signal:
        return !flags.for_ns;
    }
  }
}

void announce(const Target& target, const RecordingFlags& flags) {
  if (flags.quiet) return;
  if (target.tracer != 0) {
    const auto name = Machine().line(fmt::format("/proc/{}/comm", target.tracer)).value_or("?");
    write_message(
        fmt::format("process {} is traced by process {} ({}), whose stops count as its own time\n",
                    target.pid, target.tracer, command_text({name})));
  }
  if (!flags.for_ns) {
    write_message(fmt::format("recording process {} ({}); Ctrl-C ends the recording\n", target.pid,
                              command_text(target.argv)));
  }
}

// The file of metrics is all that is kept.
Result<Exit> attach_for_metrics(const AttachFlags& flags, const Target& target,
                                Interrupt& interrupt, const LiveViews& views) {
  Metrics metrics(flags.recording.trace == "full" ? views.watch : nullptr);
  auto recorder = Recorder::start({.trace = flags.recording.trace,
                                   .command = command_text(target.argv),
                                   .argv = target.argv,
                                   .lock = flags.recording.lock,
                                   .reader = &metrics});
  if (!recorder) return fail(recorder.error());
  if (Status followed = recorder->follow(target.pid); !followed) return fail(followed.error());
  announce(target, flags.recording);
  const auto whole = record_metrics(*recorder, metrics, interrupt, target.process.get(),
                                    {.path = flags.metrics, .for_ns = flags.recording.for_ns});
  if (!whole) return fail(whole.error());
  if (!*whole) {
    return fail(Exit::interrupted, fmt::format("interrupted by {}", interrupt.signal_name()));
  }
  return Exit::done;
}

Status check(const AttachFlags& flags) {
  if (flags.metrics.empty()) {
    if (!flags.recording.endless) return {};
    return fail(parse_window_ns("0").error().message + "; --metrics alone goes on without an end");
  }
  const RecordingFlags& recording = flags.recording;
  if (!recording.out.empty() || recording.json || recording.all) {
    return fail(fmt::format("--metrics makes no report: leave {} out", !recording.out.empty()
                                                                           ? "--out"
                                                                       : recording.json ? "--json"
                                                                                        : "--all"));
  }
  return check_metrics_file(flags.metrics);
}

Result<Exit> attach(const AttachFlags& flags, const ReportPrinter& print, const LiveViews& views) {
  const auto pid = parse_pid(flags.pid);
  if (!pid) return fail(pid.error());
  if (Status sound = check(flags); !sound) return fail(sound.error());
  if (Status able = require_recording(); !able) return fail(able.error());
  const auto target = look_at(*pid);
  if (!target) return fail(target.error());
  // Never destroyed: no signal may end the process in the middle of its last steps.
  auto watched = Interrupt::watch();
  if (!watched) return fail(watched.error());
  auto* const interrupt = new Interrupt(std::move(*watched));
  if (!flags.metrics.empty()) return attach_for_metrics(flags, *target, *interrupt, views);
  auto out = RecordingDir::open(flags.recording);
  if (!out) return fail(out.error());
  auto recorder = Recorder::start({.trace = flags.recording.trace,
                                   .out = &out->get(),
                                   .command = command_text(target->argv),
                                   .argv = target->argv,
                                   .lock = flags.recording.lock,
                                   .ended_by_time = true});
  if (!recorder) return fail(recorder.error());
  if (Status followed = recorder->follow(*pid); !followed) return fail(followed.error());
  announce(*target, flags.recording);
  if (Status opened = recorder->open(); !opened) return fail(opened.error());
  const auto whole = record(*recorder, *interrupt, *target, flags.recording);
  if (!whole) return fail(whole.error());
  if (Status closed = recorder->close(); !closed) return fail(closed.error());
  const auto report = recorder->finish(nullptr, *whole ? "done" : "interrupted");
  if (!report) return fail(report.error());
  if (Status printed = print_recording(*recorder, *report, flags.recording, *out, print);
      !printed) {
    return fail(printed.error());
  }
  if (!*whole) {
    return fail(Exit::interrupted, fmt::format("interrupted by {}", interrupt->signal_name()));
  }
  return Exit::done;
}

}  // namespace

void add_attach(CLI::App& app, Exit& exit, ReportPrinter print, const LiveViews& views) {
  auto flags = std::make_shared<AttachFlags>();
  Command command(app, "attach", "report the GIL of a process that runs");
  command.option("PID", flags->pid, "the process's number").required();
  flags->recording.may_be_endless = true;
  add_recording_flags(command, flags->recording,
                      "how long to record, such as 500ms, 10s or 2m; without it, until Ctrl-C or "
                      "the process's end; 0 says so, with --metrics");
  command
      .option("--metrics", flags->metrics,
              "no report: a file for Prometheus' node_exporter, written anew every ten seconds")
      .value_kind("FILE");
  command.on_run([flags, print = std::move(print), views, &exit] {
    exit = exit_of(attach(*flags, print, views));
  });
}

}  // namespace gilscope
