// The process at the other end of a workload's conversation: not the worker's, so that it needs no
// GIL, and on CPUs of its own where there are any.
#pragma once

#include <sys/types.h>

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "userspace/experiment/interrupt.h"
#include "userspace/report/model.h"
#include "userspace/util/fd.h"
#include "userspace/util/mapping.h"
#include "userspace/workload/workload.h"

namespace gilscope {

// The CPUs that this process may use and the run does not; where there are none, the run's.
Result<std::vector<int>> client_cpus(std::span<const int> of_run);

class ClientProcess {
 public:
  // Forks it; it waits for the workload to begin.
  static Result<ClientProcess> start(Workload& workload, const SampleBook& samples,
                                     std::vector<int> cpus, const Interrupt& interrupt);
  ~ClientProcess();  // kills it
  ClientProcess(ClientProcess&&) noexcept;
  ClientProcess& operator=(ClientProcess&&) = delete;

  pid_t pid() const { return pid_; }
  // Readable when it has ended.
  int fd() const { return process_.get(); }
  // Once it has: why, if not because it was done.
  Status how_it_ended();
  // Kills it if it has not ended, and says what it used.
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

}  // namespace gilscope
