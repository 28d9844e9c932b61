// SIGINT, SIGTERM and SIGHUP as a descriptor to poll, so that a run is ended between two lines of
// code of ours and not in the middle of one.
#pragma once

#include <signal.h>

#include "userspace/util/fd.h"
#include "userspace/util/result.h"

namespace gilscope {

class Interrupt {
 public:
  static Result<Interrupt> watch();
  ~Interrupt();
  Interrupt(Interrupt&&) noexcept = default;
  Interrupt& operator=(Interrupt&&) noexcept = default;

  int fd() const { return fd_.get(); }
  // Whether one of the signals has come since watch().
  bool requested();

  // In a forked child: the signals reach it again.
  void forget_in_child() const;

 private:
  Interrupt() = default;

  Fd fd_;
  sigset_t before_{};
  bool requested_ = false;
};

}  // namespace gilscope
