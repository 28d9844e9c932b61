#include "userspace/experiment/disturbance/stops.h"

#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <limits>

#include "userspace/base/refusal.h"
#include "userspace/base/time.h"
#include "userspace/machine/facts/parts.h"
#include "userspace/machine/machine.h"

namespace gilscope {
namespace {

// The initial cgroup namespace, whose number the kernel fixes (PROC_CGROUP_INIT_INO). Its root
// cannot be frozen; the root of any other is an ordinary cgroup.
constexpr const char* kFirstCgroupNamespace = "cgroup:[4026531835]";

bool names_a_freezer(const std::string& line) {
  return line.starts_with("0::") || line.find(":freezer:") != line.npos;
}

// The lines of /proc/PROCESS/cgroup for cgroups that can be frozen.
Result<std::string> freezable_cgroups(const Machine& machine, const std::string& process = "self") {
  const auto cgroups = machine.text(fmt::format("/proc/{}/cgroup", process));
  if (!cgroups) return fail(cgroups.error());
  std::string text;
  for (const std::string& line : lines(*cgroups)) {
    if (names_a_freezer(line)) text += line + "\n";
  }
  return text;
}

// Makes `inotify` report every write to the file.
bool watch_file(const Fd& inotify, const std::string& path) {
  return ::inotify_add_watch(inotify.get(), path.c_str(), IN_MODIFY) >= 0;
}

// Watches the freezers of this process's cgroups and of those above them. Returns false if any
// cannot be watched.
bool watch_freezers(const Fd& inotify, const Machine& machine) {
  const auto cgroups = freezable_cgroups(machine);
  if (!inotify || !cgroups) return false;
  bool all = true;
  for (const std::string& line : lines(*cgroups)) {
    const bool unified = line.starts_with("0::");
    const auto directories = cgroup_directories(machine, unified ? "" : "freezer");
    const bool first = line.ends_with(":/") &&
                       machine.link("/proc/self/ns/cgroup").value_or("") == kFirstCgroupNamespace;
    bool watched = first;
    for (const std::string& directory : directories) {
      // A hierarchy's root has no such file.
      const std::string file = directory + (unified ? "/cgroup.freeze" : "/freezer.state");
      if (watch_file(inotify, machine.at(file))) {
        watched = true;
      } else if (directory != directories.back() || machine.exists(file)) {
        all = false;
      }
    }
    all = all && watched;
  }
  return all;
}

// Reports a freeze even if the frozen cgroup lies above everything that this process can see.
void watch_own_events(const Fd& inotify, const Machine& machine) {
  const auto directories = cgroup_directories(machine, "");
  if (!directories.empty()) {
    watch_file(inotify, machine.at(directories.front() + "/cgroup.events"));
  }
}

bool anything_to_read(const Fd& fd) {
  alignas(inotify_event) char events[4096];
  bool any = false;
  while (::read(fd.get(), events, sizeof(events)) > 0) any = true;
  return any;
}

bool is_stop(int code) {
  return code == CLD_STOPPED || code == CLD_TRAPPED || code == CLD_CONTINUED;
}

bool stopped_or_continued(pid_t pid) {
  bool any = false;
  for (;;) {
    siginfo_t info{};
    if (pid <= 0 ||
        ::waitid(P_PID, static_cast<id_t>(pid), &info, WSTOPPED | WCONTINUED | WNOHANG) != 0) {
      return any;
    }
    if (info.si_pid == 0) return any;
    any = true;
  }
}

sigset_t child_signal() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGCHLD);
  return signals;
}

}  // namespace

Stops::SuspendedTime Stops::SuspendedTime::now() {
  SuspendedTime best{std::numeric_limits<int64_t>::min() / 2,
                     std::numeric_limits<int64_t>::max() / 2};
  for (int i = 0; i < 3; ++i) {
    const auto before = static_cast<int64_t>(monotonic_ns());
    const auto boot = static_cast<int64_t>(clock_ns(CLOCK_BOOTTIME));
    const auto after = static_cast<int64_t>(monotonic_ns());
    best.at_least_ns = std::max(best.at_least_ns, boot - after);
    best.at_most_ns = std::min(best.at_most_ns, boot - before);
  }
  return best;
}

Result<Stops> Stops::watch() {
  Stops stops;
  auto sheet = Mapping<Sheet>::shared_anonymous(1);
  if (!sheet) return fail(sheet.error());
  stops.sheet_ = std::move(*sheet);
  // A process that inherits SIGCHLD ignored gets no notice of its children and cannot reap them.
  struct sigaction by_default {};
  by_default.sa_handler = SIG_DFL;
  if (::sigaction(SIGCHLD, &by_default, nullptr) != 0) return fail_errno("sigaction");
  const sigset_t signals = child_signal();
  if (::sigprocmask(SIG_BLOCK, &signals, &stops.before_) != 0) return fail_errno("sigprocmask");
  stops.child_signals_ = Fd(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!stops.child_signals_) {
    const int error = errno;
    ::sigprocmask(SIG_SETMASK, &stops.before_, nullptr);
    return refused("signalfd", error);
  }
  signalfd_siginfo earlier;
  while (::read(stops.child_signals_.get(), &earlier, sizeof(earlier)) > 0) continue;
  const Machine machine;
  stops.freezers_ = Fd(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  stops.freezers_watched_ = watch_freezers(stops.freezers_, machine);
  if (stops.freezers_) watch_own_events(stops.freezers_, machine);
  stops.asleep_ = SuspendedTime::now();
  return stops;
}

Stops::~Stops() {
  if (!child_signals_) return;
  const sigset_t signals = child_signal();
  if (!sigismember(&before_, SIGCHLD)) ::sigprocmask(SIG_UNBLOCK, &signals, nullptr);
}

// Two signals that arrive unread merge into one that describes the first; waitid() on the child
// shows the last.
void Stops::read_child_signals() {
  signalfd_siginfo info;
  while (::read(child_signals_.get(), &info, sizeof(info)) == sizeof(info)) {
    if (!is_stop(info.ssi_code)) continue;
    const auto pid = static_cast<pid_t>(info.ssi_pid);
    worker_stopped_ = worker_stopped_ || pid == worker_;
    client_stopped_ = client_stopped_ || pid == client_;
  }
  worker_stopped_ = stopped_or_continued(worker_) || worker_stopped_;
  client_stopped_ = stopped_or_continued(client_) || client_stopped_;
}

void Stops::begin_in_worker() const {
  const Machine machine;
  Sheet& sheet = sheet_[0];
  // The CPU limiter may have moved this process into a cgroup of its own.
  sheet.freezers_watched = watch_freezers(freezers_, machine);
  const auto cgroups = freezable_cgroups(machine);
  std::strncpy(sheet.cgroups, cgroups.value_or("").c_str(), sizeof(sheet.cgroups) - 1);
  sheet.began = 1;
}

void Stops::end_in_worker() const {
  note_end("self");
}

void Stops::end_of_worker() const {
  note_end(std::to_string(worker_));
}

void Stops::note_end(const std::string& process) const {
  const Machine machine;
  Sheet& sheet = sheet_[0];
  const auto cgroups = freezable_cgroups(machine, process);
  sheet.moved = cgroups && cgroups->substr(0, sizeof(sheet.cgroups) - 1) != sheet.cgroups;
  const auto status = machine.text(fmt::format("/proc/{}/status", process));
  sheet.debugged = status && value_of(*status, "TracerPid").value_or("0") != "0";
  sheet.ended = cgroups && status;
}

std::optional<std::vector<std::string>> Stops::end() {
  read_child_signals();
  const SuspendedTime asleep = SuspendedTime::now();
  const Sheet& sheet = sheet_[0];
  std::vector<std::string> ways;
  const auto note = [&](bool seen, const char* way) {
    if (seen) ways.emplace_back(way);
  };
  note(worker_stopped_, "signal");
  note(client_stopped_, "client");
  note(freezers_ && anything_to_read(freezers_), "freezer");
  note(sheet.moved, "cgroup");
  note(asleep.at_least_ns > asleep_.at_most_ns, "suspend");
  note(sheet.debugged, "debugger");
  const bool all_seen = freezers_watched_ && sheet.began && sheet.freezers_watched && sheet.ended;
  if (ways.empty() && !all_seen) return {};
  return ways;
}

}  // namespace gilscope
