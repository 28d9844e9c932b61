#include "userspace/experiment/interrupt.h"

#include <sys/signalfd.h>

namespace gilscope {

Result<Interrupt> Interrupt::watch() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGHUP);
  Interrupt interrupt;
  if (sigprocmask(SIG_BLOCK, &signals, &interrupt.before_)) return fail_errno("sigprocmask");
  interrupt.fd_ = Fd(signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!interrupt.fd_) return fail_errno("signalfd");
  return interrupt;
}

Interrupt::~Interrupt() {
  if (fd_) sigprocmask(SIG_SETMASK, &before_, nullptr);
}

bool Interrupt::requested() {
  signalfd_siginfo info;
  while (read(fd_.get(), &info, sizeof(info)) == sizeof(info)) requested_ = true;
  return requested_;
}

void Interrupt::forget_in_child() const {
  sigprocmask(SIG_SETMASK, &before_, nullptr);
}

}  // namespace gilscope
