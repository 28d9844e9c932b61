// The client of a workload that answers requests. It is a process of its own, so that it needs no
// GIL, and uses CPUs that the run does not, if there are any.
#pragma once

#include <sys/types.h>

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "userspace/base/fd.h"
#include "userspace/base/interrupt.h"
#include "userspace/base/mapping.h"
#include "userspace/workload/workload.h"

namespace gilscope {

struct Client;

// The CPUs that this process may use and the run does not; if there are none, the run's CPUs.
Result<std::vector<int>> client_cpus(std::span<const int> of_run);

class ClientProcess {
 public:
  // Forks the client, which waits for the workload to begin.
  static Result<ClientProcess> start(Workload& workload, const SampleBook& samples,
                                     std::vector<int> cpus, const Interrupt& interrupt);
  ~ClientProcess();  // kills it
  ClientProcess(ClientProcess&&) noexcept;
  ClientProcess& operator=(ClientProcess&&) = delete;

  pid_t pid() const { return pid_; }
  // Readable once the client has ended.
  int fd() const { return process_.get(); }
  // Call it once the client has ended. Fails, with the reason, unless the client ended normally.
  Status end_status();
  // Kills the client if it still runs; returns its CPUs and CPU time.
  Client finish();

 private:
  struct Sheet {
    char failure[256];
  };

  ClientProcess() = default;
  void reap();

  pid_t pid_ = -1;
  Fd process_;
  Mapping<Sheet> sheet_;
  std::vector<int> cpus_;
  int status_ = 0;
  uint64_t cpu_ns_ = 0;
};

// The workload's client, on CPUs that the run does not use; empty if it has none.
Result<std::optional<ClientProcess>> start_client(Workload& workload, const SampleBook& samples,
                                                  const std::vector<int>& cpus_of_run,
                                                  const Interrupt& interrupt);

}  // namespace gilscope
