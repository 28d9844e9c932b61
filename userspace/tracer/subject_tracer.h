// The tracer of real programs: follows processes and their threads by itself, looks at their GILs,
// and hands on the records. Where the GILs are, the user side says (userspace/subject/). Processes
// and threads have places in tables, which are given free again once their accounts have been
// taken.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "bpf/counters.h"
#include "bpf/process.h"
#include "userspace/base/result.h"
#include "userspace/report/model.h"

namespace gilscope {

class SubjectTracer {
 public:
  struct Options {
    uint32_t max_threads = 8192;  // at one time
    uint32_t max_processes = 64;
    uint64_t records_bytes = 64 << 20;
    bool records = true;
    bool raw_programs = false;
    bool lock = false;  // that is no GIL is looked at
    std::chrono::nanoseconds lead = std::chrono::microseconds(100);
  };
  using RecordSink = std::function<Status(std::span<const gilscope_segment>)>;

  static Result<SubjectTracer> load(const Options& options);
  SubjectTracer(SubjectTracer&&) noexcept;
  SubjectTracer& operator=(SubjectTracer&&) noexcept;
  ~SubjectTracer();

  // Forgets what earlier windows left, as if it had been loaded anew; it must be detached.
  Status reset();

  // Nothing is traced before the window is open.
  Status attach();
  void detach();

  // A place for a process that nobody traced has forked. The process enrols itself before it
  // executes a program, or is enrolled by its tgid in the first PID namespace.
  Result<uint32_t> reserve_process();
  Status enrol_caller(uint32_t place) const;
  Status enrol(uint32_t place, uint32_t tgid);

  Status open_window();
  // Afterwards nothing is counted any more. Waits until the threads that run have been switched
  // out, which ends their last segments, but no longer than a fifth of a second.
  Status close_window();

  std::span<const gilscope_process> processes() const;
  // Says where the GILs of a process are; the first is the main interpreter's. Of those that were
  // said before none may be missing.
  void set_gils(uint32_t place, std::span<const gilscope_gil> gils);

  // Readable when records, a new process, an executed program or a first thread wait to be looked
  // at.
  int doorbell_fd() const;
  Status drain(const RecordSink& sink);
  // Whether drain() hands records over, or forgets them unread.
  void read_records(bool read);
  uint64_t records() const;

  std::span<const gilscope_thread> threads() const;
  std::span<const gilscope_waiter> waiters() const;
  // Each thread that has been followed has had a slot below this.
  uint32_t slots_used() const;
  // Gives places free. The thread must have left, the process have ended, and all of their records
  // been taken.
  void free_thread(uint32_t slot);
  void free_process(uint32_t place);

  // The account of one process: of each CPU, and what was lost. Time of the other traced processes
  // is foreign to it.
  std::vector<CpuTrace> cpus_of(uint32_t place, std::span<const int> cpus) const;
  Lost lost_of(uint32_t place) const;
  // Of all processes, those whose places have been given free among them.
  Lost lost_of_all() const;
  const gilscope_window& window() const;
  Facts capabilities() const;

 private:
  struct State;
  explicit SubjectTracer(std::unique_ptr<State> state);
  std::vector<gilscope_cpu> account_of(uint32_t place) const;
  std::unique_ptr<State> state_;
};

}  // namespace gilscope
