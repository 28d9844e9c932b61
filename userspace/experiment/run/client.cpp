#include "userspace/experiment/run/client.h"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <utility>

#include "userspace/base/exceptions.h"
#include "userspace/base/refusal.h"
#include "userspace/base/time.h"
#include "userspace/experiment/run/confine.h"
#include "userspace/machine/cpus.h"
#include "userspace/machine/limit/cpu_limiter.h"
#include "userspace/report/model.h"

namespace gilscope {

Result<std::vector<int>> client_cpus(std::span<const int> of_run) {
  auto allowed = allowed_cpus();
  if (!allowed) return fail(allowed.error());
  std::vector<int> others;
  std::ranges::copy_if(*allowed, std::back_inserter(others),
                       [&](int cpu) { return std::ranges::find(of_run, cpu) == of_run.end(); });
  return others.empty() ? std::vector<int>(of_run.begin(), of_run.end()) : others;
}

Result<ClientProcess> ClientProcess::start(Workload& workload, const SampleBook& samples,
                                           std::vector<int> cpus, const Interrupt& interrupt) {
  ClientProcess client;
  client.cpus_ = std::move(cpus);
  auto sheet = Mapping<Sheet>::shared_anonymous(1);
  if (!sheet) return fail(sheet.error());
  client.sheet_ = std::move(*sheet);
  const pid_t parent = getpid();
  client.pid_ = fork();
  if (client.pid_ < 0) return refused("cannot start a client");
  if (client.pid_ == 0) {
    client.pid_ = -1;
    interrupt.ignore_terminal_signals();
    const Status status = catch_exceptions([&]() -> Status {
      const auto by_affinity = make_affinity_limiter();
      Status confined = confine(parent, client.cpus_, *by_affinity,
                                {.descriptors = workload.client_descriptors(), .bpf = false});
      return confined ? workload.converse(samples) : confined;
    });
    if (status) _exit(0);
    std::strncpy(client.sheet_[0].failure, status.error().message.c_str(),
                 sizeof(Sheet::failure) - 1);
    _exit(1);
  }
  client.process_ = Fd(static_cast<int>(syscall(SYS_pidfd_open, client.pid_, 0)));
  if (!client.process_) return refused("pidfd_open");
  return client;
}

ClientProcess::ClientProcess(ClientProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      process_(std::move(other.process_)),
      sheet_(std::move(other.sheet_)),
      cpus_(std::move(other.cpus_)),
      status_(other.status_),
      cpu_ns_(other.cpu_ns_) {}

ClientProcess::~ClientProcess() {
  if (pid_ < 0) return;
  kill(pid_, SIGKILL);
  reap();
}

void ClientProcess::reap() {
  rusage usage = {};
  while (wait4(pid_, &status_, 0, &usage) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  cpu_ns_ = to_ns(usage.ru_utime) + to_ns(usage.ru_stime);
}

Status ClientProcess::end_status() {
  reap();
  if (WIFEXITED(status_) && WEXITSTATUS(status_) == 0) return {};
  const char* failure = sheet_[0].failure;
  if (failure[0]) {
    return fail(fmt::format("the client process failed: {}",
                            std::string(failure, strnlen(failure, sizeof(Sheet::failure)))));
  }
  if (WIFSIGNALED(status_)) {
    return fail(fmt::format("the client process was killed by signal {} ({})", WTERMSIG(status_),
                            strsignal(WTERMSIG(status_))));
  }
  return fail(fmt::format("the client process ended with status {}", WEXITSTATUS(status_)));
}

Client ClientProcess::finish() {
  if (pid_ >= 0) {
    kill(pid_, SIGKILL);
    reap();
  }
  return {cpus_, cpu_ns_};
}

Result<std::optional<ClientProcess>> start_client(Workload& workload, const SampleBook& samples,
                                                  const std::vector<int>& cpus_of_run,
                                                  const Interrupt& interrupt) {
  std::optional<ClientProcess> client;
  if (!workload.has_client()) return client;
  auto cpus = client_cpus(cpus_of_run);
  if (!cpus) return fail(cpus.error());
  auto started = ClientProcess::start(workload, samples, std::move(*cpus), interrupt);
  if (!started) return fail(started.error());
  client.emplace(std::move(*started));
  return client;
}

}  // namespace gilscope
