// The scheduler's work as ftrace events: sched_switch and sched_waking of each CPU in Perfetto's
// compact form, in bundles of bounded size. docs/export.md says what segments cannot tell and what
// stands there instead.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "tools/export/perfetto_packets.h"
#include "tools/export/perfetto_tracks.h"
#include "tools/trace/moments.h"

namespace gilscope::perfetto {

class Sched {
 public:
  // `preempted` is the task state by which a reader recognizes preemption; it depends on the
  // kernel's version.
  Sched(Packets& packets, int64_t preempted) : packets_(packets), preempted_(preempted) {}

  // The moments that follow belong to a run with these threads; records were lost on `lossy` CPUs.
  void begin_run(const std::vector<TracedThread>& threads, std::set<int> lossy);
  void visit(const Moment& moment);
  void end_run();

 private:
  struct Switch {
    uint64_t ns;
    int64_t prev_state;
    uint32_t next;  // slot, or kIdle
  };
  struct Waking {
    uint64_t ns;
    uint32_t thread;
    uint16_t target_cpu;
  };
  struct Off {
    uint64_t ns;
    int64_t state;
  };
  struct Cpu {
    std::vector<Switch> switches;
    std::vector<Waking> wakings;
    bool begun = false;               // the trace has an event of it
    std::optional<uint32_t> running;  // slot
    int64_t running_state = 0;        // in which its thread will be switched out
    // Its thread was switched out, and the next moment tells whether another of the run followed.
    std::optional<Off> off;
  };

  void switch_in(Cpu& cpu, const Moment& moment);
  void switch_out(Cpu& cpu, const Moment& moment);
  void wake(const Moment& moment);
  void begin(Cpu& cpu, uint64_t ns);
  void put(Cpu& cpu, Switch what);
  void settle(Cpu& cpu);
  void flush();
  void write(uint16_t id, Cpu& cpu);
  int64_t state_after(uint8_t ended) const;
  uint32_t comm(uint32_t thread);

  Packets& packets_;
  int64_t preempted_;
  std::vector<TracedThread> threads_;
  std::set<int> lossy_;       // lossy CPUs that no bundle has marked yet
  std::set<int> lossy_cpus_;  // all lossy CPUs of the run
  std::map<uint16_t, Cpu> cpus_;
  size_t buffered_ = 0;  // events of all CPUs

  // State of the bundle that is being written.
  std::vector<std::optional<uint32_t>> comm_indices_;
  std::vector<const std::string*> comms_;
};

}  // namespace gilscope::perfetto
