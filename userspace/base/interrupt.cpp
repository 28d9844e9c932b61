#include "userspace/base/interrupt.h"

#include <signal.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <initializer_list>

#include "userspace/base/refusal.h"

namespace gilscope {
namespace {

// Masks and dispositions are read and set by system calls, because glibc hides two real-time
// signals that it uses for threads; those too would end the process.
constexpr int kSignals = 64;

constexpr uint64_t bit(int signal) {
  return uint64_t{1} << (signal - 1);
}

constexpr uint64_t mask_of(std::initializer_list<int> signals) {
  uint64_t mask = 0;
  for (const int signal : signals) mask |= bit(signal);
  return mask;
}

constexpr uint64_t kEndNothing =
    mask_of({SIGCHLD, SIGCONT, SIGURG, SIGWINCH, SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU});
constexpr uint64_t kErrorsOfCalls = mask_of({SIGPIPE, SIGXFSZ});
// Signals of a process's own faults. Sent by kill(2), they are requests like others; a fault ends
// the process even while they are blocked.
constexpr uint64_t kOfCrashes =
    mask_of({SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGSYS, SIGXCPU});

bool is_ignored(int signal) {
  // The kernel's struct sigaction starts with the handler and fits in this.
  uintptr_t action[8] = {};
  return ::syscall(SYS_rt_sigaction, signal, nullptr, action, sizeof(uint64_t)) == 0 &&
         action[0] == reinterpret_cast<uintptr_t>(SIG_IGN);
}

uint64_t watched() {
  uint64_t mask = ~(kEndNothing | kErrorsOfCalls | bit(SIGKILL));
  for (int signal = 1; signal <= kSignals; ++signal) {
    if (is_ignored(signal)) mask &= ~bit(signal);
  }
  return mask;
}

bool change_mask(int how, uint64_t mask, uint64_t* before = nullptr) {
  return ::syscall(SYS_rt_sigprocmask, how, &mask, before, sizeof(mask)) == 0;
}

}  // namespace

Result<Interrupt> Interrupt::watch() {
  const uint64_t signals = watched();
  Interrupt interrupt;
  if (!change_mask(SIG_BLOCK, signals, &interrupt.before_)) return fail_errno("rt_sigprocmask");
  interrupt.fd_ = Fd(static_cast<int>(
      ::syscall(SYS_signalfd4, -1, &signals, sizeof(signals), SFD_CLOEXEC | SFD_NONBLOCK)));
  if (!interrupt.fd_) return refused("signalfd");
  interrupt.limit_ = CpuTimeLimit::warn();
  return interrupt;
}

Interrupt::~Interrupt() {
  if (!fd_) return;
  requested();
  change_mask(SIG_SETMASK, before_);
}

std::optional<Arrived> Interrupt::next() {
  signalfd_siginfo info;
  if (::read(fd_.get(), &info, sizeof(info)) != sizeof(info)) return {};
  Arrived arrived = {.number = static_cast<int>(info.ssi_signo)};
  if (info.ssi_code == SI_KERNEL) arrived.from = Arrived::From::kernel;
  if (info.ssi_code == SI_TIMER) arrived.from = Arrived::From::itself;
  if (signal_ == 0) signal_ = arrived.number;
  return arrived;
}

bool Interrupt::requested() {
  while (next()) {
  }
  return signal_ != 0;
}

std::string Interrupt::signal_name() const {
  const char* name = ::sigabbrev_np(signal_);
  return name ? fmt::format("SIG{}", name) : fmt::format("signal {}", signal_);
}

void Interrupt::ignore_terminal_signals() const {
  change_mask(SIG_UNBLOCK, kOfCrashes & ~before_);
}

}  // namespace gilscope
