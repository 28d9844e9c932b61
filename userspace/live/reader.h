// A recording while it goes on, for views that keep no segments: what comes as it happens, and what
// is there at a moment.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "bpf/counters.h"
#include "bpf/process.h"
#include "userspace/report/model.h"

namespace gilscope {

// A thread that is traced. Its counters grow while they are read.
struct LiveThread {
  uint32_t slot = 0;     // in the tracer's table; another thread's once this one has ended
  uint32_t process = 0;  // place in the table of processes, likewise
  std::string name;      // printable
  const gilscope_thread* counters = nullptr;
  const gilscope_waiter* waiter = nullptr;
};

// Who has a process's lock at the moment, read from the process itself.
struct LiveHolder {
  std::optional<bool> held;  // empty: the lock does not let it be seen
  pid_t tid = 0;             // 0: not known; where nobody has it, of the last one
  std::string name;
};

struct LiveProcess {
  uint32_t place = 0;
  pid_t pid = 0;
  bool ended = false;
  std::optional<CellSubject> subject;  // empty: no lock of it is known yet
  std::optional<LiveHolder> holder;
  std::vector<CpuTrace> cpus;
};

struct LiveState {
  uint64_t ns = 0;  // of the kernel's clock
  std::vector<LiveProcess> processes;
  std::vector<LiveThread> threads;
  Lost lost;  // of all processes
};

// Receives what is recorded.
class RecordingReader {
 public:
  virtual ~RecordingReader() = default;
  // Of one process, in the order of their ends. `thread` is the slot.
  virtual void segments(uint32_t process, std::span<const gilscope_segment> segments) = 0;
  // All of its segments have been handed over, and its counters grow no more. Its slot may be
  // another thread's afterwards.
  virtual void thread_ended(const LiveThread& thread) = 0;
  // All of its threads have ended. Its place may be another process's afterwards.
  virtual void process_ended(uint32_t place, const std::vector<CpuTrace>& cpus) = 0;
};

}  // namespace gilscope
