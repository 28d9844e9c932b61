#include "userspace/experiment/run/worker.h"

#include <fmt/format.h>
#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <deque>
#include <latch>
#include <memory>
#include <new>
#include <thread>

#include "userspace/base/exceptions.h"
#include "userspace/base/time.h"
#include "userspace/eval/interpreter.h"
#include "userspace/experiment/disturbance/stops.h"
#include "userspace/experiment/run/perf_events.h"
#include "userspace/experiment/run/start_barrier.h"
#include "userspace/gil/policies.h"
#include "userspace/threading/thread.h"
#include "userspace/workload/tasks.h"

namespace gilscope {
namespace {

// The kernel's accounts of the calling thread.
struct Accounts {
  uint64_t cpu_ns = 0, voluntary = 0, involuntary = 0;

  static Accounts now() {
    rusage usage;
    getrusage(RUSAGE_THREAD, &usage);
    return {clock_ns(CLOCK_THREAD_CPUTIME_ID), static_cast<uint64_t>(usage.ru_nvcsw),
            static_cast<uint64_t>(usage.ru_nivcsw)};
  }
  uint64_t switches() const { return voluntary + involuntary; }
};

// One thread of the run, possibly main: its row, its slot and its entry into the trace.
class Member {
 public:
  Member(ThreadRow& row, gilscope_slot& slot, uint32_t index, const TraceControl& tracing)
      : row_(row), gil_thread_(slot), index_(index), tracing_(tracing) {}

  // Called by the thread itself before its barrier, because opening counters takes long.
  void open_perf() { perf_.emplace(); }

  // The kernel's accounts and perf cover slightly more than the trace; the switches in between are
  // the slack.
  Status enter() {
    Accounts before = Accounts::now();
    if (perf_) perf_->start();
    if (Status s = tracing_.enter(index_); !s) return s;
    entered_ = Accounts::now();
    row_.slack_switches = entered_.switches() - before.switches();
    row_.state = ThreadRow::running;
    return {};
  }

  Status leave() {
    Accounts left = Accounts::now();
    if (Status s = tracing_.leave(); !s) return s;
    if (perf_) perf_->read(row_.perf);
    row_.slack_switches += Accounts::now().switches() - left.switches();
    row_.cpu_ns = left.cpu_ns - entered_.cpu_ns;
    row_.voluntary_switches = left.voluntary - entered_.voluntary;
    row_.involuntary_switches = left.involuntary - entered_.involuntary;
    row_.state = ThreadRow::finished;
    return {};
  }

  ThreadRow& row() { return row_; }
  GilThread& gil_thread() { return gil_thread_; }

 private:
  ThreadRow& row_;
  GilThread gil_thread_;
  uint32_t index_;
  const TraceControl& tracing_;
  Accounts entered_;
  std::optional<PerfEvents> perf_;
};

class Worker {
 public:
  Worker(const WorkerTask& task, std::span<gilscope_slot> board, const SharedSheet& sheet,
         const TraceControl& tracing)
      : task_(task),
        sheet_(sheet),
        tracing_(tracing),
        at_their_barriers_(static_cast<ptrdiff_t>(sheet.rows().size()) - 1) {
    for (size_t i = 0; i < sheet.rows().size(); ++i) {
      members_.emplace_back(sheet.rows()[i], board[i], static_cast<uint32_t>(i), tracing_);
    }
  }

  Status run();

 private:
  Status make_threads();
  void make_thread(size_t index, std::string name, bool daemon, threading::Thread::Body body);
  Status start_and_join();
  void measured_body(size_t index);
  void background_body(size_t index);
  // The life of a thread from its barrier to its end: traced, timed and counted.
  template <typename Body>
  void live(size_t index, Body body);

  const WorkerTask& task_;
  const SharedSheet& sheet_;
  const TraceControl& tracing_;
  std::unique_ptr<Gil> gil_;
  std::deque<Member> members_;         // by slot; a deque, because members cannot move
  std::deque<StartBarrier> barriers_;  // one per thread; barriers_[i] belongs to members_[i + 1]
  std::latch at_their_barriers_;       // counted down by each thread, after opening any perf events
  std::vector<threading::Thread> threads_;
};

template <typename Body>
void Worker::live(size_t index, Body body) {
  Member& member = members_[index + 1];
  if (task_.perf) member.open_perf();
  at_their_barriers_.count_down();
  barriers_[index].wait();
  Status status = member.enter();
  if (status) {
    const uint64_t started = monotonic_ns();
    gil_->acquire(member.gil_thread());
    Interpreter interpreter(*gil_, member.gil_thread());
    status = body(interpreter, member.row());
    gil_->release(member.gil_thread());
    member.row().active_ns = monotonic_ns() - started;
    if (status) status = member.leave();
  }
  if (status) return;
  // Others may be waiting for this thread or for its data, so the whole run ends.
  sheet_.sheet().fail_with(status.error());
  _exit(1);
}

void Worker::measured_body(size_t index) {
  live(index, [&](Interpreter& interpreter, ThreadRow& row) {
    return task_.workload->run({interpreter, index, task_.samples.writer(index), row.operations});
  });
}

// Computes until the process ends.
void Worker::background_body(size_t index) {
  live(index, [&](Interpreter& interpreter, ThreadRow& row) -> Status {
    Task task(task_.workload->background().task, interpreter);
    for (;;) {
      task.run_once();
      std::atomic_ref(row.operations).fetch_add(1, std::memory_order_relaxed);
    }
  });
}

void Worker::make_thread(size_t index, std::string name, bool daemon,
                         threading::Thread::Body body) {
  barriers_.emplace_back();
  threads_.emplace_back(std::move(body), std::move(name), daemon);
  ThreadRow& row = members_[index + 1].row();
  std::strncpy(row.name, threads_.back().name().c_str(), sizeof(row.name) - 1);
  row.daemon = threads_.back().daemon();
}

Status Worker::make_threads() {
  for (size_t i = 0; i < members_.size() - 1; ++i) {
    if (i < task_.threads) {
      make_thread(i, "", false, [this, i] { measured_body(i); });
    } else {
      make_thread(i, fmt::format("Background-{}", i - task_.threads + 1), true,
                  [this, i] { background_body(i); });
    }
  }
  for (threading::Thread& thread : threads_) {
    if (Status s = thread.start(); !s) return s;
  }
  return {};
}

// Main's work while it holds the GIL: starts the threads and waits for them, releasing the GIL
// while it blocks.
Status Worker::start_and_join() {
  GilThread& main = members_[0].gil_thread();
  auto join = [&](size_t index) {
    AllowThreads allow(*gil_, main);
    return threads_[index].join();
  };
  for (size_t i = task_.threads; i < barriers_.size(); ++i) barriers_[i].open();
  task_.workload->begin();
  if (task_.threaded || !task_.join_at_end) {
    for (size_t i = 0; i < task_.threads; ++i) barriers_[i].open();
  }
  if (!task_.join_at_end) {
    // As with Python's older thread module, main can only wait for threads by sleeping.
    if (auto ns = task_.workload->main_sleep_ns()) {
      AllowThreads allow(*gil_, main);
      std::this_thread::sleep_for(std::chrono::nanoseconds(*ns));
    }
    return {};
  }
  for (size_t i = 0; i < task_.threads; ++i) {
    if (!task_.threaded) barriers_[i].open();
    if (Status s = join(i); !s) return s;
  }
  return {};
}

Status Worker::run() {
  auto gil = make_gil(task_.policy);
  if (!gil) return fail(gil.error());
  gil_ = std::move(*gil);

  Member& main = members_[0];
  std::strncpy(main.row().name, "MainThread", sizeof(main.row().name) - 1);
  if (task_.perf) {
    raise_descriptor_limit();
    main.open_perf();
  }
  if (Status s = make_threads(); !s) return s;
  // Without counters to open, threads reach their barriers quickly.
  if (task_.perf) at_their_barriers_.wait();

  if (Status s = tracing_.open_window(); !s) return s;
  if (Status s = main.enter(); !s) return s;
  gil_->acquire(main.gil_thread());
  RunSheet& sheet = sheet_.sheet();
  sheet.started_ns = monotonic_ns();
  if (Status s = start_and_join(); !s) return s;
  sheet.wall_ns = monotonic_ns() - sheet.started_ns;
  gil_->release(main.gil_thread());
  if (Status s = main.leave(); !s) return s;
  return tracing_.close_window();
}

// This process's sheet, for handlers that take no argument.
const SharedSheet* sheet_of_process = nullptr;

// Called when an allocation is about to fail; must not allocate.
void fail_for_want_of_memory() {
  sheet_of_process->sheet().fail_with(
      "the worker ran out of memory: raise the limit (ulimit -v, ulimit -d, the cgroup's "
      "memory.max), or give the workload less to do");
  _exit(1);
}

// glibc reserves 64 MiB of address space for each thread that allocates. Under a limit that leaves
// no room for that, it silently asks the kernel again at every allocation, with six system calls
// each.
void share_one_arena_under_a_limit() {
  rlimit addresses = {};
  if (getrlimit(RLIMIT_AS, &addresses) == 0 && addresses.rlim_cur != RLIM_INFINITY) {
    mallopt(M_ARENA_MAX, 1);
  }
}

}  // namespace

void work(const WorkerTask& task, std::span<gilscope_slot> board, const SharedSheet& sheet,
          const TraceControl& tracing) {
  sheet_of_process = &sheet;
  end_on_exception([](const Error& error) {
    sheet_of_process->sheet().fail_with(error);
    _exit(1);
  });
  std::set_new_handler(fail_for_want_of_memory);
  share_one_arena_under_a_limit();
  // Never destroyed: daemon threads still use it when the process ends, and with main_exit = "kill"
  // all threads do.
  auto* worker = new Worker(task, board, sheet, tracing);
  if (Status status = worker->run(); !status) {
    sheet.sheet().fail_with(status.error());
    _exit(1);
  }
  task.stops->end_in_worker();
  sheet.sheet().complete = 1;
  if (task.join_at_end) threading::join_all_non_daemon_threads();
  _exit(0);
}

}  // namespace gilscope
