// The tracks of one run: its process with its threads, and below the process a group for the GIL.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tools/export/perfetto_packets.h"
#include "userspace/report/model.h"

namespace gilscope::perfetto {

// A thread as the kernel knows it, by slot.
struct TracedThread {
  uint32_t tid = 0;  // 0: it was not traced
  std::string name;
};

std::vector<TracedThread> traced_threads(const Run& run);

// Ids that are unique in the trace. `ordinal` numbers the exported runs.
class TrackIds {
 public:
  explicit TrackIds(uint64_t ordinal) : run_((ordinal + 1) << 32) {}

  uint64_t process() const { return id(0, 0); }
  uint64_t thread(uint32_t slot) const { return id(1, slot); }
  uint64_t group() const { return id(2, 0); }
  uint64_t owner() const { return id(3, 0); }
  uint64_t gil_of_thread(uint32_t slot) const { return id(4, slot); }
  uint64_t waiters() const { return id(5, 0); }
  uint64_t contended(uint32_t cpu) const { return id(6, cpu); }
  uint64_t woken_lost(uint32_t cpu) const { return id(7, cpu); }
  uint64_t timed_out(uint32_t cpu) const { return id(8, cpu); }

 private:
  uint64_t id(uint64_t kind, uint64_t index) const { return run_ | kind << 24 | index; }

  uint64_t run_;
};

class Tracks {
 public:
  explicit Tracks(Packets& packets) : packets_(packets) {}

  // All tracks but those of CPUs; the owner's only where the policy has one.
  void declare(const TrackIds& ids, const std::string& process,
               const std::vector<TracedThread>& threads, bool one_owner);
  // The counters of failed acquisitions on a CPU.
  void declare_cpu(const TrackIds& ids, uint32_t cpu);

 private:
  Packets& packets_;
};

}  // namespace gilscope::perfetto
