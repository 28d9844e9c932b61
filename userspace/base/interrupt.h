// Turns the signals that would end the process into a descriptor to poll, so that a run ends at a
// defined point of the code.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "userspace/base/cpu_time_limit.h"
#include "userspace/base/fd.h"
#include "userspace/base/result.h"

namespace gilscope {

// A signal that has come.
struct Arrived {
  enum class From {
    kernel,    // a terminal's keys and its end: sent to the whole foreground process group
    somebody,  // kill(2)
    itself,    // a timer of this process: its limit of CPU time is near
  };
  int number = 0;
  From from = From::somebody;
};

class Interrupt {
 public:
  // Watches every signal that would end this process and can be blocked, except signals that were
  // already ignored (nohup, a shell's background process) and those that set_signal_dispositions()
  // turns into errors.
  static Result<Interrupt> watch();
  ~Interrupt();
  Interrupt(Interrupt&&) noexcept = default;
  Interrupt& operator=(Interrupt&&) noexcept = default;

  int fd() const { return fd_.get(); }
  // Whether one of the signals has come since watch().
  bool requested();
  // Takes the next one; empty: none has come since.
  std::optional<Arrived> next();
  // The first signal that has come, for example "SIGTERM".
  std::string signal_name() const;

  // For a forked child: leaves signals blocked that a terminal or a service manager sends to parent
  // and child alike, since the parent decides what becomes of a run. Crash signals end the child.
  void ignore_terminal_signals() const;

 private:
  Interrupt() = default;

  Fd fd_;
  CpuTimeLimit limit_;
  uint64_t before_ = 0;  // the kernel's earlier signal mask: bit 0 is signal 1
  int signal_ = 0;
};

}  // namespace gilscope
