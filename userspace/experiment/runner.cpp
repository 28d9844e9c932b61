#include "userspace/experiment/runner.h"

#include <poll.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstring>

#include "userspace/experiment/client.h"
#include "userspace/experiment/confine.h"
#include "userspace/experiment/environment.h"
#include "userspace/experiment/limit/cpu_limiter.h"
#include "userspace/experiment/results.h"
#include "userspace/experiment/run_sheet.h"
#include "userspace/experiment/worker.h"
#include "userspace/tracer/counters.h"
#include "userspace/util/mapping.h"

namespace gilscope {
namespace {

uint64_t to_ns(const timeval& time) {
  return static_cast<uint64_t>(time.tv_sec) * 1'000'000'000 +
         static_cast<uint64_t>(time.tv_usec) * 1'000;
}

ResourceUsage usage_of(const rusage& usage) {
  return {to_ns(usage.ru_utime),
          to_ns(usage.ru_stime),
          static_cast<uint64_t>(usage.ru_nvcsw),
          static_cast<uint64_t>(usage.ru_nivcsw),
          static_cast<uint64_t>(usage.ru_minflt),
          static_cast<uint64_t>(usage.ru_majflt),
          static_cast<uint64_t>(usage.ru_maxrss) * 1024};
}

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
  // It counts as it goes, and is never finished.
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

// Room for ten times what this kind of box can do, and not more than a few gigabytes of addresses.
Result<SampleBook> make_book(const Workload& workload, size_t threads) {
  constexpr double kAtMostPerSecond = 1e6;
  constexpr size_t kAtMost = size_t{1} << 26;
  const double wanted = std::max(1.0, workload.expected_s(threads)) * kAtMostPerSecond;
  const auto all = static_cast<size_t>(std::min(wanted, static_cast<double>(kAtMost)));
  return SampleBook::make(threads, std::max<size_t>(all / threads, 1024));
}

}  // namespace

// Returns when the worker is dead (not yet reaped). It is killed on an interrupt, when the records
// cannot be kept, and when its client has come to grief: then it would wait for ever.
Status Runner::watch(pid_t pid, Watched& watched) {
  Fd process(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  if (!process) {
    kill(pid, SIGKILL);
    return fail_errno("pidfd_open");
  }
  Status status;
  pollfd fds[] = {{process.get(), POLLIN, 0},
                  {interrupt_.fd(), POLLIN, 0},
                  {watched.traced ? tracer_->ring_fd() : -1, POLLIN, 0},
                  {watched.client ? watched.client->fd() : -1, POLLIN, 0}};
  for (;;) {
    if (poll(fds, std::size(fds), -1) < 0 && errno != EINTR) {
      kill(pid, SIGKILL);
      return fail_errno("poll");
    }
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
      watched.client_ended = watched.client->how_it_ended();
      if (!watched.client_ended) kill(pid, SIGKILL);
    }
  }
}

Result<Run> Runner::run(const Cell& cell, const Options& options) {
  const auto threads = static_cast<size_t>(cell.threads);
  auto workload = make_workload(cell.workload);
  if (!workload) return fail(workload.error());
  if (Status prepared = (*workload)->prepare(threads); !prepared) return fail(prepared.error());
  std::optional<SampleBook> samples;
  if ((*workload)->takes_samples()) {
    auto book = make_book(**workload, threads);
    if (!book) return fail(book.error());
    samples = std::move(*book);
  }

  const size_t slots = 1 + threads + (*workload)->background().threads;
  auto sheet = SharedSheet::make(slots);
  if (!sheet) return fail(sheet.error());
  auto plain_board = Mapping<gilscope_slot>::shared_anonymous(slots);
  if (!plain_board) return fail(plain_board.error());

  TraceControl tracing;
  std::span<gilscope_slot> board = plain_board->span();
  if (options.traced) {
    if (Status begun = tracer_->begin(options.sink, options.statistics); !begun) {
      return fail(begun.error());
    }
    tracing = tracer_->control();
    board = tracer_->board().first(slots);
  }

  const GateReadings before = read_gates(cell.cpu_list);
  std::optional<ClientProcess> client;
  if ((*workload)->has_client()) {
    auto cpus = client_cpus(cell.cpu_list);
    if (!cpus) return fail(cpus.error());
    static const SampleBook kNone;
    auto started =
        ClientProcess::start(**workload, samples ? *samples : kNone, std::move(*cpus), interrupt_);
    if (!started) return fail(started.error());
    client.emplace(std::move(*started));
  }
  const WorkerTask task = {.policy = cell.policy,
                           .threaded = cell.arrangement == "threaded",
                           .join_at_end = cell.main_exit != "kill",
                           .threads = threads,
                           .workload = workload->get(),
                           .samples = samples ? &*samples : nullptr};
  const auto by_affinity = make_affinity_limiter();
  const CpuLimiter& limiter = options.limiter ? *options.limiter : *by_affinity;
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid < 0) return fail_errno("cannot start a worker");
  if (pid == 0) {
    interrupt_.forget_in_child();
    Kept descriptors = {.descriptors = (*workload)->worker_descriptors(), .bpf = tracing.traced()};
    const auto& programs = tracing.programs();
    descriptors.descriptors.insert(
        descriptors.descriptors.end(),
        {programs.open_window, programs.close_window, programs.enter, programs.leave});
    if (Status confined = confine(parent, cell.cpu_list, limiter, std::move(descriptors));
        !confined) {
      sheet->sheet().fail_with(confined.error());
      _exit(1);
    }
    work(task, board, *sheet, tracing);
  }
  if (options.on_started) options.on_started(pid);
  Watched watched = {.traced = options.traced, .client = client ? &*client : nullptr};
  const Status kept = watch(pid, watched);
  int exit_status = 0;
  rusage usage = {};
  while (wait4(pid, &exit_status, 0, &usage) < 0 && errno == EINTR) {
  }
  const GateReadings after = read_gates(cell.cpu_list);

  Run run;
  if (client) run.client = client->finish();
  run.rusage = usage_of(usage);
  run.wall_ns = sheet->sheet().wall_ns;
  if (before.steal_ns && after.steal_ns && *after.steal_ns >= *before.steal_ns) {
    run.steal_ns = *after.steal_ns - *before.steal_ns;
  }
  for (size_t slot = 0; slot < slots; ++slot) {
    const Role role = slot == 0 ? Role::main : slot <= threads ? Role::worker : Role::background;
    run.threads.push_back(thread_of(sheet->rows()[slot], board[slot], role));
    run.gil += run.threads.back().gil;
  }
  const RunSheet& done = sheet->sheet();
  const bool complete =
      done.complete && !done.failed && WIFEXITED(exit_status) && !WEXITSTATUS(exit_status);
  if (watched.interrupted) {
    run.status = "interrupted";
  } else if (done.failed) {
    // First, because its client notices that a worker has failed before anybody else does.
    run.status = "failed";
    run.failure = how_it_died(exit_status, done);
  } else if (!watched.client_ended) {
    run.status = "failed";
    run.failure = watched.client_ended.error().message;
  } else if (!complete) {
    run.status = "failed";
    run.failure = how_it_died(exit_status, done);
  } else {
    run.status = "done";
    run.workload = results_of(**workload, task.samples, sheet->rows(), threads, run.wall_ns);
    if (samples) {
      if (Status taken = options.samples_sink(*samples); !taken) return fail(taken.error());
    }
  }
  const auto hold_gates = [&] {
    if (run.status != "done") return;
    run.gates = judge_gates(options.gates, cell.cpu_list, run, before, after);
  };
  if (!options.traced) {
    hold_gates();
    return run;
  }
  if (run.status != "done" || !kept) {
    tracer_->abandon();
  } else if (Status ended = tracer_->end(run, cell.cpu_list); !ended) {
    // The counters of a run whose threads were not all seen to leave are not exact: not a run.
    run.status = "failed";
    run.failure = ended.error().message;
  }
  if (!kept) return fail(kept.error());
  hold_gates();
  return run;
}

}  // namespace gilscope
