// The signals that end a process, as a descriptor to poll, so that a run is ended between two lines
// of code of ours and not in the middle of one.
#pragma once

#include <cstdint>
#include <string>

#include "userspace/experiment/cpu_time_limit.h"
#include "userspace/util/fd.h"
#include "userspace/util/result.h"

namespace gilscope {

class Interrupt {
 public:
  // Every signal that would end this process and that it can keep from doing so, but for those that
  // were ignored before (nohup; a shell's background process) and those that
  // set_signal_dispositions() makes errors.
  static Result<Interrupt> watch();
  ~Interrupt();
  Interrupt(Interrupt&&) noexcept = default;
  Interrupt& operator=(Interrupt&&) noexcept = default;

  int fd() const { return fd_.get(); }
  // Whether one of the signals has come since watch().
  bool requested();
  // "SIGTERM": the first that has come.
  std::string signal_name() const;

  // In a forked child: it does not heed what a terminal or a service manager sends to parent and
  // child alike, since the parent decides what becomes of a run. The signals of a crash end it.
  void leave_to_parent() const;

 private:
  Interrupt() = default;

  Fd fd_;
  CpuTimeLimit limit_;
  uint64_t before_ = 0;  // the mask of signals, as the kernel has it: bit 0 is signal 1
  int signal_ = 0;
};

}  // namespace gilscope
