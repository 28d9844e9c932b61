// convoy:background=1,seconds=2[,burst=100][,task=count]: each measured thread computes `burst`
// iterations of counting and then makes two calls that never wait for anything, a send over UDP to
// itself and its receipt, the GIL released for each: short I/O that queues behind the computing
// threads.
#include <sys/socket.h>

#include "userspace/eval/programs.h"
#include "userspace/workload/sockets.h"
#include "userspace/workload/timed.h"

namespace gilscope {
namespace {

class Convoy : public TimedWorkload {
 public:
  explicit Convoy(const Parameters& parameters)
      : TimedWorkload(parameters), burst_(static_cast<int64_t>(parameters.number("burst"))) {}

  bool takes_samples() const override { return true; }

  Status prepare(size_t threads) override {
    auto connections = connect_udp(threads, 0);
    if (!connections) return fail(connections.error());
    connections_ = std::move(*connections);
    return {};
  }

  std::vector<int> worker_descriptors() const override {
    std::vector<int> kept;
    for (const Connection& connection : connections_) {
      kept.push_back(connection.server.get());
      kept.push_back(connection.client.get());
    }
    return kept;
  }

  Status run(const WorkThread& thread) override {
    const Connection& connection = connections_[thread.index];
    const uint64_t end = end_ns();
    Status status;
    bool first = true;
    const auto exchange = [&]() -> int64_t {
      if (first) {
        first = false;
        return 1;
      }
      const uint64_t start = monotonic_ns();
      char byte = 'x';
      ssize_t sent, got;
      int error = 0;
      {
        AllowThreads allow(thread.interpreter.gil(), thread.interpreter.thread());
        sent = ::send(connection.client.get(), &byte, 1, MSG_NOSIGNAL);
        if (sent < 0) error = errno;
      }
      if (sent == 1) {
        AllowThreads allow(thread.interpreter.gil(), thread.interpreter.thread());
        got = ::recv(connection.server.get(), &byte, 1, 0);
        if (got < 0) error = errno;
      }
      if (error != 0) {
        status = fail_errno("workload convoy: cannot send to itself over loopback", error);
        return 0;
      }
      const uint64_t now = monotonic_ns();
      thread.samples.add(start, now);
      thread.count_operation();
      return now < end ? 1 : 0;
    };
    thread.interpreter.run(bursting_loop(exchange), {&burst_, 1});
    return status;
  }

 private:
  const int64_t burst_;
  std::vector<Connection> connections_;
};

}  // namespace

std::unique_ptr<Workload> make_convoy(const Parameters& parameters) {
  return std::make_unique<Convoy>(parameters);
}

}  // namespace gilscope
