// The tracer: loads the programs once, attaches them for one run at a time, hands on the records as
// they come, and reads the counters when the run is over. The counters are the authority; the
// records illustrate them.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "bpf/contract.h"
#include "userspace/base/result.h"
#include "userspace/report/model.h"
#include "userspace/tracer/control.h"

namespace gilscope {

// How long ahead the window's edges are announced on emulated CPUs, which stand still for
// milliseconds at a time.
inline constexpr std::chrono::milliseconds kEmulatedLead{20};

class Tracer {
 public:
  struct Options {
    uint32_t max_threads = 2;           // slots on the board, the main thread's included
    uint64_t records_bytes = 64 << 20;  // for unread records, on all CPUs together
    bool records = true;                // false: counters only
    bool raw_programs = false;          // use the raw twins although BTF programs would load
    // How long ahead the window's edges are announced: far longer than the few instructions that
    // announcing takes on real CPUs.
    std::chrono::nanoseconds lead = std::chrono::microseconds(100);
  };

  // Called with records in the order of their end.
  using RecordSink = std::function<Status(std::span<const gilscope_segment>)>;

  static Result<Tracer> load(const Options& options);
  Tracer(Tracer&&) noexcept;
  Tracer& operator=(Tracer&&) noexcept;
  ~Tracer();

  // Clears what the previous run left, and attaches. With `statistics` the kernel times every
  // program, which itself takes time.
  Status begin(RecordSink sink, bool statistics);

  // For the worker that is forked between begin() and end().
  TraceControl control() const;
  std::span<gilscope_slot> board() const;

  // Readable when a CPU's buffer of records is half full; drain() then hands the records to the
  // sink. -1: no records.
  int doorbell_fd() const;
  Status drain();

  // After the worker is dead: waits until the last segment of every thread has been counted,
  // detaches, drains, and puts the counts into `run`, whose threads are there already, in the order
  // of their slots. `cpus` are the CPUs that the run was given.
  Status end(Run& run, std::span<const int> cpus);

  // Detaches without reading the counters, for an abandoned run.
  void abandon();

  // The programs and features in use, for the report.
  Facts capabilities() const;

 private:
  struct State;
  explicit Tracer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace gilscope
