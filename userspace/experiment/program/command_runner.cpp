#include "userspace/experiment/program/command_runner.h"

#include <poll.h>

#include <charconv>

#include "userspace/machine/facts/environment.h"
#include "userspace/machine/machine.h"
#include "userspace/recording/process_facts.h"
#include "userspace/recording/subject_cell.h"
#include "userspace/report/resource_usage.h"

namespace gilscope {
namespace {

constexpr uint64_t kMs = 1'000'000, kSecond = 1'000 * kMs;
// A program of its own has as long as it takes; this is for those that hang.
constexpr uint64_t kPatienceNs = 3600 * kSecond;

// Whether a thread of the process is within read(2) of that pipe, by whatever descriptor: a shell
// reads from a copy.
bool waits_at(pid_t pid, const std::string& pipe) {
  const Machine machine;
  const auto tids = machine.names(fmt::format("/proc/{}/task", pid));
  if (!tids) return false;
  for (const std::string& tid : *tids) {
    // Of x86-64: read is 0. "0 0x5 ..."
    const auto call = machine.text(fmt::format("/proc/{}/task/{}/syscall", pid, tid));
    if (!call || !call->starts_with("0 0x")) continue;
    int fd = -1;
    std::from_chars(call->data() + 4, call->data() + call->size(), fd, 16);
    if (machine.link(fmt::format("/proc/{}/fd/{}", pid, fd)).value_or("") == pipe) return true;
  }
  return false;
}

// One run, while its process lives.
class CommandRun {
 public:
  CommandRun(ScriptProcess& process, ProgramTracer* tracer, Stops& stops, Interrupt& interrupt)
      : process_(process), tracer_(tracer), stops_(stops), interrupt_(interrupt) {}

  // Waits until `over` says so or the program has ended.
  template <typename Over>
  Status wait(uint64_t patience_ns, const char* what, Over over);

  bool interrupted() const { return interrupted_; }
  bool ended() const { return ended_; }

 private:
  ScriptProcess& process_;
  ProgramTracer* tracer_;
  Stops& stops_;
  Interrupt& interrupt_;
  bool ended_ = false, interrupted_ = false;
};

template <typename Over>
Status CommandRun::wait(uint64_t patience_ns, const char* what, Over over) {
  const uint64_t deadline = monotonic_ns() + patience_ns;
  while (!ended_ && !over()) {
    if (monotonic_ns() >= deadline)
      return fail(fmt::format("the program did not {} in time", what));
    pollfd fds[] = {{process_.process_fd(), POLLIN, 0},
                    {interrupt_.fd(), POLLIN, 0},
                    {process_.errors_to_read(), POLLIN, 0},
                    {tracer_ != nullptr ? tracer_->doorbell_fd() : -1, POLLIN, 0},
                    {stops_.fd(), POLLIN, 0}};
    constexpr int kHousekeepingMs = 5;
    if (::poll(fds, std::size(fds), kHousekeepingMs) < 0 && errno != EINTR) {
      return fail_errno("poll");
    }
    if (fds[4].revents != 0) stops_.read_child_signals();
    if (fds[2].revents != 0) process_.read_errors();
    if (fds[1].revents != 0 && interrupt_.requested()) {
      interrupted_ = true;
      return fail(Exit::interrupted, "interrupted");
    }
    if (tracer_ != nullptr) {
      if (Status looked = tracer_->look(process_.pid()); !looked) return looked;
      if (Status drained = tracer_->drain(); !drained) return drained;
    }
    ended_ = fds[0].revents != 0;
  }
  return {};
}

}  // namespace

Result<Run> CommandRunner::run(Cell& cell, const ProgramRunner::Options& options) {
  const auto program = read_program(cell.policy);
  if (!program) return fail(program.error());
  auto stops = Stops::watch();
  if (!stops) return fail(stops.error());
  auto process = ScriptProcess::prepare();
  if (!process) return fail(process.error());
  const auto by_affinity = make_affinity_limiter();
  ScriptProcess::Options start;
  start.owner = &owner_;
  start.cpus = cell.cpu_list;
  start.limiter = options.limiter ? options.limiter : by_affinity.get();
  start.stops = &*stops;
  start.has_results = false;
  start.variables = {fmt::format("GILSCOPE_THREADS={}", cell.threads)};
  const int gate = process->gate_fd();
  const std::string pipe =
      Machine().link(fmt::format("/proc/self/fd/{}", gate)).value_or("unknown");
  if (program->waits_at_gate) {
    start.variables.push_back(fmt::format("GILSCOPE_GATE_FD={}", gate));
  }
  ProgramTracer* const tracer = options.traced ? tracer_ : nullptr;
  if (tracer != nullptr) {
    auto begun = tracer->begin_unknown(options.place);
    if (!begun) return fail(begun.error());
    start.in_child = std::move(*begun);
  }
  uint64_t opened_ns = 0;
  DisturbanceReadings before;
  const auto open = [&]() -> Status {
    before = read_disturbances(cell.cpu_list);
    if (tracer != nullptr) {
      if (Status opened = tracer->open_window(); !opened) return opened;
    }
    opened_ns = monotonic_ns();
    return {};
  };
  if (!program->waits_at_gate) start.before_release = open;

  Run run;
  Status status = process->start(program->command, start);
  if (!status) {
    if (tracer != nullptr) tracer->abandon();
    run.status = "failed";
    run.failure = status.error().message;
    return run;
  }
  run.pid = process->pid();
  stops->follow(process->pid(), -1);
  CommandRun running(*process, tracer, *stops, interrupt_);
  if (program->waits_at_gate) {
    status = running.wait(options.patience.ready_ns, "wait at its gate",
                          [&] { return waits_at(process->pid(), pipe); });
    if (status && running.ended()) status = fail("the program ended before it waited at its gate");
    if (status) status = open();
    if (status) status = process->say("go");
  }
  const uint64_t patience = options.patience.done_ns != 0 ? options.patience.done_ns : kPatienceNs;
  if (status) status = running.wait(patience, "end", [] { return false; });
  if (opened_ns != 0) run.wall_ns = monotonic_ns() - opened_ns;
  if (tracer != nullptr && status) status = tracer->close_window();
  if (!status) process->kill();
  const CommandEnd end = process->wait();
  DisturbanceReadings after = read_disturbances(cell.cpu_list);
  after.stopped_by = stops->end();
  run.stopped_by = after.stopped_by.value_or(std::vector<std::string>());
  run.steal_ns = steal_between(before, after);
  if (run.steal_ns) run.steal_over_ns = after.at_ns - before.at_ns;
  run.rusage = resource_usage_of(end.usage);
  if (status && end.exit_status() != 0) status = fail("the program " + process->how_it_ended(end));
  run.gil.acquires = run.gil.releases = run.gil.drop_requests = std::nullopt;
  if (status && tracer != nullptr) {
    const Subject seen = *tracer->process()->subject;
    status = tracer->end(run, cell.cpu_list);
    if (cell.subject && cell.subject->interpreter.empty() && !seen.interpreter.empty()) {
      cell.subject = subject_of(seen);
      cell.subject->kind = "program";
      cell.subject->pid = 0;
    }
  } else if (tracer != nullptr) {
    tracer->abandon();
  }
  if (status) {
    run.status = "done";
    run.disturbances = judge_disturbances(options.limits, cell.cpu_list, run, before, after);
  } else if (running.interrupted() || interrupt_.requested()) {
    run.status = "interrupted";
  } else {
    run.status = "failed";
    run.failure = status.error().message;
  }
  return run;
}

}  // namespace gilscope
