#include "userspace/experiment/runner.h"

#include <poll.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>

#include "userspace/experiment/confine.h"
#include "userspace/experiment/environment.h"
#include "userspace/experiment/limit/cpu_limiter.h"
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

WorkerTask task_of(const Cell& cell) {
  return {.policy = cell.policy,
          .workload = cell.workload,
          .threaded = cell.arrangement == "threaded",
          .join_at_end = cell.main_exit != "kill",
          .cpus = cell.cpu_list,
          .threads = cell.threads};
}

Thread thread_of(const ThreadRow& row, const gilscope_slot& slot, bool is_main) {
  Thread thread;
  thread.name = std::string(row.name, strnlen(row.name, sizeof(row.name)));
  thread.role = is_main ? "main" : "worker";
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
      if (!is_main) thread.operations = row.operations;
      thread.usage = ThreadUsage{row.cpu_ns, row.voluntary_switches, row.involuntary_switches,
                                 row.slack_switches};
      break;
  }
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

}  // namespace

// Returns when the worker is dead (not yet reaped). It is killed on an interrupt, and when the
// records cannot be kept.
Status Runner::watch(pid_t pid, bool traced, bool& interrupted) {
  Fd process(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  if (!process) {
    kill(pid, SIGKILL);
    return fail_errno("pidfd_open");
  }
  Status status;
  pollfd fds[] = {{process.get(), POLLIN, 0},
                  {interrupt_.fd(), POLLIN, 0},
                  {traced ? tracer_->ring_fd() : -1, POLLIN, 0}};
  for (;;) {
    if (poll(fds, std::size(fds), -1) < 0 && errno != EINTR) {
      kill(pid, SIGKILL);
      return fail_errno("poll");
    }
    if (fds[0].revents) return status;
    if (fds[1].revents && interrupt_.requested() && !interrupted) {
      interrupted = true;
      kill(pid, SIGKILL);
    }
    if (fds[2].revents && status) {
      status = tracer_->drain();
      if (!status) kill(pid, SIGKILL);
    }
  }
}

Result<Run> Runner::run(const Cell& cell, const Options& options) {
  const size_t slots = static_cast<size_t>(cell.threads) + 1;
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

  auto steal_before = read_steal_ns(cell.cpu_list);
  const WorkerTask task = task_of(cell);
  const auto by_affinity = make_affinity_limiter();
  const CpuLimiter& limiter = options.limiter ? *options.limiter : *by_affinity;
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid < 0) return fail_errno("cannot start a worker");
  if (pid == 0) {
    interrupt_.forget_in_child();
    if (Status confined = confine(parent, task.cpus, limiter, tracing); !confined) {
      std::strncpy(sheet->sheet().failure, confined.error().message.c_str(),
                   sizeof(RunSheet::failure) - 1);
      _exit(1);
    }
    work(task, board, *sheet, tracing);
  }
  if (options.on_started) options.on_started(pid);
  bool interrupted = false;
  Status watched = watch(pid, options.traced, interrupted);
  int exit_status = 0;
  rusage usage = {};
  while (wait4(pid, &exit_status, 0, &usage) < 0 && errno == EINTR) {
  }
  auto steal_after = read_steal_ns(cell.cpu_list);

  Run run;
  run.rusage = usage_of(usage);
  run.wall_ns = sheet->sheet().wall_ns;
  if (steal_before && steal_after) run.steal_ns = *steal_after - *steal_before;
  for (size_t slot = 0; slot < slots; ++slot) {
    run.threads.push_back(thread_of(sheet->rows()[slot], board[slot], slot == 0));
    run.gil += run.threads.back().gil;
  }
  bool complete = sheet->sheet().complete && WIFEXITED(exit_status) && !WEXITSTATUS(exit_status);
  if (interrupted) {
    run.status = "interrupted";
  } else if (!complete) {
    run.status = "failed";
    run.failure = how_it_died(exit_status, sheet->sheet());
  } else {
    run.status = "done";
  }
  if (!options.traced) return run;
  if (run.status != "done" || !watched) {
    tracer_->abandon();
  } else if (Status ended = tracer_->end(run, cell.cpu_list); !ended) {
    // The counters of a run whose threads were not all seen to leave are not exact: not a run.
    run.status = "failed";
    run.failure = ended.error().message;
  }
  if (!watched) return fail(watched.error());
  return run;
}

}  // namespace gilscope
