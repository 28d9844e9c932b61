// echo:background=1,seconds=2[,size=64][,task=count][,port=0]: TCP request and response over
// loopback. Each measured thread serves one connection: receive and send release the GIL, as a
// socket's recv and sendall do, so an answer takes the GIL twice. The client keeps one request in
// flight on each connection.
#include <poll.h>
#include <sys/socket.h>

#include "userspace/base/time.h"
#include "userspace/eval/programs.h"
#include "userspace/workload/conversation.h"

namespace gilscope {
namespace {

class Echo : public Conversation {
 public:
  explicit Echo(const Parameters& parameters)
      : Conversation(parameters), size_(parameters.number("size")) {}

  bool takes_samples() const override { return true; }
  bool client_takes_samples() const override { return true; }

  Status run(const WorkThread& thread) override;

 protected:
  Result<std::vector<Connection>> connect(size_t threads, uint16_t port) override {
    return connect_tcp(threads, port);
  }
  Status talk(const SampleBook& samples, uint64_t end_ns) override;

 private:
  struct Exchange {
    SampleWriter samples;
    uint64_t sent_ns = 0;
    size_t received = 0;
  };

  Status ask(size_t index, Exchange& exchange);
  Status hear(size_t index, Exchange& exchange);

  const size_t size_;
  std::vector<char> buffer_;
};

Status Echo::run(const WorkThread& thread) {
  const int socket = server(thread.index);
  Gil& gil = thread.interpreter.gil();
  std::vector<char> buffer(size_);
  Status status;
  // Receives a whole request. Returns 0 when the client has no more.
  const auto receive = [&]() -> int64_t {
    size_t received = 0;
    while (received < size_) {
      ssize_t got;
      int error;
      {
        AllowThreads allow(gil, thread.interpreter.thread());
        got = ::recv(socket, buffer.data() + received, size_ - received, 0);
        error = errno;
      }
      if (got < 0) status = fail_errno("a server thread cannot receive", error);
      if (got <= 0) return 0;
      received += static_cast<size_t>(got);
    }
    return 1;
  };
  const auto answer = [&]() -> int64_t {
    AllowThreads allow(gil, thread.interpreter.thread());
    // A blocking socket sends all or fails. A client that has left ends the run and is no failure.
    if (::send(socket, buffer.data(), size_, MSG_NOSIGNAL) < 0) {
      if (errno != EPIPE && errno != ECONNRESET) {
        status = fail_errno("a server thread cannot send");
      }
      return 0;
    }
    thread.count_operation();
    return 1;
  };
  thread.interpreter.run(serving_loop(receive, answer), {});
  return status;
}

Status Echo::ask(size_t index, Exchange& exchange) {
  exchange.received = 0;
  exchange.sent_ns = monotonic_ns();
  if (::send(client(index), buffer_.data(), size_, MSG_NOSIGNAL) < 0) {
    return fail_errno("the client cannot send");
  }
  ++account().sent;
  return {};
}

Status Echo::hear(size_t index, Exchange& exchange) {
  const ssize_t got = ::recv(client(index), buffer_.data(), size_ - exchange.received, 0);
  if (got < 0) return fail_errno("the client cannot receive");
  if (got == 0) return fail("a server thread has closed its connection");
  exchange.received += static_cast<size_t>(got);
  if (exchange.received < size_) return {};
  exchange.samples.add(exchange.sent_ns, monotonic_ns());
  return ask(index, exchange);
}

Status Echo::talk(const SampleBook& samples, uint64_t end_ns) {
  buffer_.assign(size_, 'x');
  std::vector<Exchange> exchanges(connections());
  std::vector<pollfd> sockets(connections());
  for (size_t i = 0; i < connections(); ++i) {
    exchanges[i].samples = samples.writer(i);
    sockets[i] = {client(i), POLLIN, 0};
    if (Status s = ask(i, exchanges[i]); !s) return s;
  }
  for (uint64_t now = monotonic_ns(); now < end_ns; now = monotonic_ns()) {
    const auto left_ms = static_cast<int>((end_ns - now) / 1'000'000 + 1);
    if (::poll(sockets.data(), sockets.size(), left_ms) < 0 && errno != EINTR) {
      return fail_errno("poll");
    }
    for (size_t i = 0; i < sockets.size(); ++i) {
      if (sockets[i].revents == 0) continue;
      if (Status s = hear(i, exchanges[i]); !s) return s;
    }
  }
  for (size_t i = 0; i < connections(); ++i) ::shutdown(client(i), SHUT_WR);
  return {};
}

}  // namespace

std::unique_ptr<Workload> make_echo(const Parameters& parameters) {
  return std::make_unique<Echo>(parameters);
}

}  // namespace gilscope
