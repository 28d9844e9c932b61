#include "userspace/workload/datagrams.h"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <ctime>

#include "userspace/base/time.h"

namespace gilscope {

Result<std::vector<Connection>> Datagrams::connect(size_t threads, uint16_t port) {
  return connect_udp(threads, port);
}

int64_t Datagrams::receive(const WorkThread& thread, std::span<char> buffer, Status& status) const {
  ssize_t got;
  int error;
  {
    AllowThreads allow(thread.interpreter.gil(), thread.interpreter.thread());
    got = ::recv(server(thread.index), buffer.data(), buffer.size(), 0);
    error = errno;
  }
  if (got < 0) status = fail_errno("a server thread cannot receive", error);
  return got >= static_cast<ssize_t>(sizeof(Heading)) && heading(buffer).sent_ns != 0 ? 1 : 0;
}

Datagrams::Heading Datagrams::heading(std::span<const char> buffer) {
  Heading heading;
  std::memcpy(&heading, buffer.data(), sizeof(heading));
  return heading;
}

void Datagrams::sleep_until(uint64_t ns) {
  const timespec at = {static_cast<time_t>(ns / 1'000'000'000),
                       static_cast<long>(ns % 1'000'000'000)};
  while (::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, nullptr) == EINTR) {
  }
}

void Datagrams::say_goodbye() const {
  constexpr uint64_t kEveryNs = 10'000'000;
  for (uint64_t next = monotonic_ns();; next += kEveryNs) {
    const Heading last = {0};
    for (size_t i = 0; i < connections(); ++i) {
      [[maybe_unused]] ssize_t sent = ::send(client(i), &last, sizeof(last), MSG_NOSIGNAL);
    }
    sleep_until(next);
  }
}

}  // namespace gilscope
