// Other people's tracers, set to watch what gilscope watches.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "tests/kernel/witness.h"

namespace gilscope::bench {

struct PeerResult {
  uint64_t bytes = 0;            // written to disk
  std::optional<uint64_t> lost;  // events, by its own account; empty: it does not say
};

// One that watches already; end() takes it for done.
class Peer {
 public:
  Peer(witness::Command command, std::function<Result<PeerResult>(witness::Command&)> result)
      : command_(std::move(command)), result_(std::move(result)) {}

  Result<PeerResult> end() {
    command_.interrupt();
    return result_(command_);
  }

 private:
  witness::Command command_;
  std::function<Result<PeerResult>(witness::Command&)> result_;
};

// Each returns when it watches, and ends the program with a message where it cannot. `output` is
// what its files' names begin with.
Peer perf_stat(const std::string& output);
Peer perf_sched_record(const std::string& output);
// Wakeups, migrations and run-queue latency by CPU, in three maps and one of who is ready.
Peer bpftrace(const std::string& output);

}  // namespace gilscope::bench
