#include "userspace/experiment/run/runner.h"

#include <poll.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstring>

#include "userspace/base/exceptions.h"
#include "userspace/base/mapping.h"
#include "userspace/base/refusal.h"
#include "userspace/base/time.h"
#include "userspace/experiment/disturbance/stops.h"
#include "userspace/experiment/run/client.h"
#include "userspace/experiment/run/confine.h"
#include "userspace/experiment/run/results.h"
#include "userspace/experiment/run/run_sheet.h"
#include "userspace/experiment/run/worker.h"
#include "userspace/machine/facts/environment.h"
#include "userspace/machine/limit/cpu_limiter.h"
#include "userspace/report/resource_usage.h"
#include "userspace/tracer/counters.h"

namespace gilscope {
namespace {

enum class Role { main, worker, background };

Thread thread_of(const ThreadRow& row, const gilscope_slot& slot, Role role) {
  Thread thread;
  thread.name = std::string(row.name, strnlen(row.name, sizeof(row.name)));
  thread.role = role == Role::main ? "main" : role == Role::worker ? "worker" : "background";
  thread.daemon = row.daemon;
  thread.gil = to_report(slot);
  switch (row.state) {
    case ThreadRow::never_started:
      thread.ended = "never_started";
      break;
    case ThreadRow::running:
      thread.ended = "killed";
      break;
    case ThreadRow::finished:
      thread.ended = "finished";
      if (role == Role::worker) thread.operations = row.operations;
      thread.usage = ThreadUsage{row.cpu_ns, row.voluntary_switches, row.involuntary_switches,
                                 row.slack_switches};
      break;
  }
  // A background thread counts as it goes and never finishes.
  if (role == Role::background) thread.operations = row.operations;
  return thread;
}

std::string how_it_died(int status, const RunSheet& sheet) {
  if (sheet.failure[0])
    return std::string(sheet.failure, strnlen(sheet.failure, sizeof(sheet.failure)));
  if (WIFSIGNALED(status)) {
    return fmt::format("the worker was killed by signal {} ({})", WTERMSIG(status),
                       strsignal(WTERMSIG(status)));
  }
  return fmt::format("the worker ended with status {} before its run was complete",
                     WEXITSTATUS(status));
}

// The parent's descriptors and privileges that the worker keeps.
Privileges kept_by_worker(const WorkerTask& task, const TraceControl& tracing) {
  Privileges kept = {.descriptors = task.workload->worker_descriptors(),
                     .bpf = tracing.traced(),
                     .perf = task.perf};
  kept.descriptors.push_back(task.stops->inherited_descriptor());
  const auto& programs = tracing.programs();
  kept.descriptors.insert(kept.descriptors.end(), {programs.open_window, programs.close_window,
                                                   programs.enter, programs.leave});
  return kept;
}

struct Ended {
  int status = 0;  // as from wait(2)
  rusage usage = {};
};

Ended reap(pid_t pid) {
  Ended ended;
  while (wait4(pid, &ended.status, 0, &ended.usage) < 0 && errno == EINTR) {
  }
  return ended;
}

bool was_complete(const RunSheet& sheet, int status) {
  return sheet.complete && !sheet.failed && WIFEXITED(status) && !WEXITSTATUS(status);
}

// One thread per slot, main's first, from its row and its part of the board.
std::vector<Thread> threads_of(std::span<const ThreadRow> rows,
                               std::span<const gilscope_slot> board, size_t measured) {
  std::vector<Thread> threads;
  for (size_t slot = 0; slot < rows.size(); ++slot) {
    const Role role = slot == 0 ? Role::main : slot <= measured ? Role::worker : Role::background;
    threads.push_back(thread_of(rows[slot], board[slot], role));
  }
  return threads;
}

}  // namespace

void Runner::RunWatch::judge(Run& run, const RunSheet& sheet, int worker_status) const {
  if (interrupted) {
    run.status = "interrupted";
  } else if (sheet.failed) {
    // Comes before the client's failure: a worker's failure mostly makes its client fail as well.
    run.status = "failed";
    run.failure = how_it_died(worker_status, sheet);
  } else if (!client_ended) {
    run.status = "failed";
    run.failure = client_ended.error().message;
  } else if (!was_complete(sheet, worker_status)) {
    run.status = "failed";
    run.failure = how_it_died(worker_status, sheet);
  } else {
    run.status = "done";
  }
}

// Returns when the worker is dead but not yet reaped. Kills it on an interrupt, when the records
// cannot be kept, and when its client has failed, because it would then wait forever.
Status Runner::watch(pid_t pid, RunWatch& watched) {
  Fd process(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  if (!process) {
    kill(pid, SIGKILL);
    return refused("pidfd_open");
  }
  Status status;
  pollfd fds[] = {{process.get(), POLLIN, 0},
                  {interrupt_.fd(), POLLIN, 0},
                  {watched.traced ? tracer_->doorbell_fd() : -1, POLLIN, 0},
                  {watched.client ? watched.client->fd() : -1, POLLIN, 0},
                  {watched.stops->fd(), POLLIN, 0}};
  for (;;) {
    if (poll(fds, std::size(fds), -1) < 0 && errno != EINTR) {
      kill(pid, SIGKILL);
      return fail_errno("poll");
    }
    if (fds[4].revents) watched.stops->read_child_signals();
    if (fds[0].revents) return status;
    if (fds[1].revents && interrupt_.requested() && !watched.interrupted) {
      watched.interrupted = true;
      kill(pid, SIGKILL);
    }
    if (fds[2].revents && status) {
      status = tracer_->drain();
      if (!status) kill(pid, SIGKILL);
    }
    if (fds[3].revents) {
      fds[3].fd = -1;
      watched.client_ended = watched.client->end_status();
      if (!watched.client_ended) kill(pid, SIGKILL);
    }
  }
}

Result<pid_t> Runner::start_worker(const WorkerTask& task, const Cell& cell, const Options& options,
                                   std::span<gilscope_slot> board, const SharedSheet& sheet) {
  const TraceControl tracing = options.traced ? tracer_->control() : TraceControl();
  const auto by_affinity = make_affinity_limiter();
  const CpuLimiter& limiter = options.limiter ? *options.limiter : *by_affinity;
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid < 0) return refused("cannot start a worker");
  if (pid > 0) return pid;
  interrupt_.ignore_terminal_signals();
  // No exception may leave this block: the frames above are the parent's, which write the report
  // and restore the machine.
  const Status failed = catch_exceptions([&]() -> Status {
    if (Status confined = confine(parent, cell.cpu_list, limiter, kept_by_worker(task, tracing));
        !confined) {
      return confined;
    }
    task.stops->begin_in_worker();
    work(task, board, sheet, tracing);
  });
  sheet.sheet().fail_with(failed.error());
  _exit(1);
}

void Runner::take_perf(Run& run, std::span<const ThreadRow> rows) {
  for (size_t slot = 0; slot < rows.size(); ++slot) {
    if (rows[slot].state != ThreadRow::finished) continue;
    run.threads[slot].perf = to_report(rows[slot].perf);
    for (size_t i = 0; i < kPerfCounters; ++i) {
      if (perf_errors_[i] == 0) perf_errors_[i] = rows[slot].perf.errors[i];
    }
  }
}

Status Runner::end_trace(Run& run, const Cell& cell, const Status& kept) {
  if (run.status != "done" || !kept) {
    tracer_->abandon();
  } else if (Status ended = tracer_->end(run, cell.cpu_list); !ended) {
    // Unless every thread was seen to leave, the counters are not exact, so the run has failed.
    run.status = "failed";
    run.failure = ended.error().message;
  }
  return kept;
}

Result<Run> Runner::run(const Cell& cell, const Options& options) {
  const auto threads = static_cast<size_t>(cell.threads);
  auto workload = make_workload(cell.workload);
  if (!workload) return fail(workload.error());
  if (Status prepared = (*workload)->prepare(threads); !prepared) return fail(prepared.error());
  const auto samples = make_book(**workload, threads);
  if (!samples) return fail(samples.error());
  const size_t slots = 1 + threads + (*workload)->background().threads;
  const auto sheet = SharedSheet::make(slots);
  if (!sheet) return fail(sheet.error());
  const auto plain_board = Mapping<gilscope_slot>::shared_anonymous(slots);
  if (!plain_board) return fail(plain_board.error());
  std::span<gilscope_slot> board = plain_board->span();
  if (options.traced) {
    if (Status begun = tracer_->begin(options.sink, options.statistics); !begun) {
      return fail(begun.error());
    }
    board = tracer_->board().first(slots);
  }

  auto stops = Stops::watch();
  if (!stops) return fail(stops.error());
  const DisturbanceReadings before = read_disturbances(cell.cpu_list);
  auto client = start_client(**workload, *samples, cell.cpu_list, interrupt_);
  if (!client) return fail(client.error());
  const WorkerTask task = {.policy = cell.policy,
                           .threaded = cell.arrangement == "threaded",
                           .join_at_end = cell.main_exit != "kill",
                           .threads = threads,
                           .workload = workload->get(),
                           .samples = *samples,
                           .perf = options.perf,
                           .stops = &*stops};
  const auto pid = start_worker(task, cell, options, board, *sheet);
  if (!pid) return fail(pid.error());
  if (options.on_started) options.on_started(*pid);
  stops->follow(*pid, *client ? (*client)->pid() : -1);
  RunWatch watched = {
      .traced = options.traced, .client = *client ? &**client : nullptr, .stops = &*stops};
  const Status kept = watch(*pid, watched);
  const Ended worker = reap(*pid);
  DisturbanceReadings after = read_disturbances(cell.cpu_list);
  // A signal to the process group may have ended the worker before this process noticed it.
  if (interrupt_.requested() && !was_complete(sheet->sheet(), worker.status)) {
    watched.interrupted = true;
  }

  Run run;
  if (*client) run.client = (*client)->finish();
  after.stopped_by = stops->end();
  run.stopped_by = after.stopped_by.value_or(std::vector<std::string>());
  run.rusage = resource_usage_of(worker.usage);
  run.wall_ns = sheet->sheet().wall_ns;
  run.steal_ns = steal_between(before, after);
  if (run.steal_ns) run.steal_over_ns = after.at_ns - before.at_ns;
  run.threads = threads_of(sheet->rows(), board, threads);
  for (const Thread& thread : run.threads) run.gil += thread.gil;
  if (options.perf) take_perf(run, sheet->rows());
  watched.judge(run, sheet->sheet(), worker.status);
  if (run.status == "done") {
    run.workload = results_of(**workload, *samples, sheet->rows(), threads, run.wall_ns);
    if ((*workload)->takes_samples()) {
      if (Status taken = options.samples_sink(*samples); !taken) return fail(taken.error());
    }
  }
  if (options.traced) {
    if (Status ended = end_trace(run, cell, kept); !ended) return fail(ended.error());
  }
  if (run.status == "done") {
    run.disturbances = judge_disturbances(options.limits, cell.cpu_list, run, before, after);
  }
  return run;
}

}  // namespace gilscope
