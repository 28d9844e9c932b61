#include "userspace/workload/datagrams.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>

#include "userspace/eval/programs.h"
#include "userspace/util/time.h"
#include "userspace/workload/conversation.h"

namespace gilscope {
namespace {

// The first bytes of each datagram.
struct Heading {
  uint64_t sent_ns;  // 0: the last one
};
constexpr uint64_t kGoodbyeEvery = 10'000'000;

void sleep_until(uint64_t ns) {
  const timespec at = {static_cast<time_t>(ns / 1'000'000'000),
                       static_cast<long>(ns % 1'000'000'000)};
  while (::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, nullptr) == EINTR) {
  }
}

class Datagrams : public Conversation {
 protected:
  using Conversation::Conversation;

  Result<std::vector<Connection>> connect(size_t threads, uint16_t port) override {
    return connect_udp(threads, port);
  }

  // Receives with the GIL released; 0 at the end of the conversation.
  int64_t receive(const WorkThread& thread, std::span<char> buffer, Status& status) const {
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

  static Heading heading(std::span<const char> buffer) {
    Heading heading;
    std::memcpy(&heading, buffer.data(), sizeof(heading));
    return heading;
  }

  // A datagram can be lost, so goodbye is said until the threads have left and this process is
  // ended with them.
  [[noreturn]] void say_goodbye() const {
    for (uint64_t next = monotonic_ns();; next += kGoodbyeEvery) {
      const Heading last = {0};
      for (size_t i = 0; i < connections(); ++i) {
        [[maybe_unused]] ssize_t sent = ::send(client(i), &last, sizeof(last), MSG_NOSIGNAL);
      }
      sleep_until(next);
    }
  }
};

class Latency : public Datagrams {
 public:
  explicit Latency(const Parameters& parameters)
      : Datagrams(parameters), interval_ns_(parameters.number("interval")) {}

  static std::vector<Parameter> parameters() {
    std::vector<Parameter> table;
    add_parameters(table);
    table.push_back(duration_parameter("interval", 1'000'000, 10'000, 60'000'000'000));
    return table;
  }

  bool takes_samples() const override { return true; }

  Status run(const WorkThread& thread) override {
    Status status;
    std::vector<char> buffer(sizeof(Heading));
    const auto record = [&]() -> int64_t {
      thread.samples.add(heading(buffer).sent_ns, monotonic_ns());
      thread.did_one();
      return 1;
    };
    thread.interpreter.run(serving_loop([&] { return receive(thread, buffer, status); }, record),
                           {});
    return status;
  }

 protected:
  Status talk(const SampleBook&, uint64_t end_ns) override {
    for (uint64_t next = monotonic_ns(); next < end_ns; next += interval_ns_) {
      sleep_until(next);
      for (size_t i = 0; i < connections(); ++i) {
        const Heading ping = {monotonic_ns()};
        if (::send(client(i), &ping, sizeof(ping), MSG_NOSIGNAL) < 0 && errno != ENOBUFS) {
          return fail_errno("the client cannot send");
        }
        ++account().sent;
      }
    }
    say_goodbye();
  }

 private:
  const uint64_t interval_ns_;
};

class Bandwidth : public Datagrams {
 public:
  explicit Bandwidth(const Parameters& parameters)
      : Datagrams(parameters),
        size_(parameters.number("size")),
        window_(parameters.number("window")) {}

  static std::vector<Parameter> parameters() {
    std::vector<Parameter> table;
    add_parameters(table);
    table.push_back(count_parameter("size", 1'024, sizeof(Heading), 60'000));
    table.push_back(count_parameter("window", 16, 1, 1'000));
    return table;
  }

  Status run(const WorkThread& thread) override {
    Status status;
    std::vector<char> buffer(size_);
    const auto send_back = [&]() -> int64_t {
      AllowThreads allow(thread.interpreter.gil(), thread.interpreter.thread());
      if (::send(server(thread.index), buffer.data(), size_, MSG_NOSIGNAL) < 0) {
        if (errno != ECONNREFUSED) status = fail_errno("a server thread cannot send");
        return 0;
      }
      thread.did_one();
      return 1;
    };
    thread.interpreter.run(serving_loop([&] { return receive(thread, buffer, status); }, send_back),
                           {});
    return status;
  }

  void add_results(std::map<std::string, double>& results) const override {
    Conversation::add_results(results);
    results["bytes_per_s"] = results["operations_per_s"] * static_cast<double>(size_);
  }

 protected:
  Status talk(const SampleBook&, uint64_t end_ns) override {
    // Where nothing has come back for so long, all of a window may be lost: another one is sent.
    constexpr uint64_t kSilence = 500'000'000;
    std::vector<char> buffer(size_);
    std::vector<pollfd> sockets;
    std::vector<uint64_t> in_flight(connections()), heard_ns(connections(), monotonic_ns());
    for (size_t i = 0; i < connections(); ++i) sockets.push_back({client(i), POLLIN, 0});
    for (uint64_t now = monotonic_ns(); now < end_ns; now = monotonic_ns()) {
      for (size_t i = 0; i < sockets.size(); ++i) {
        for (; in_flight[i] < window_; ++in_flight[i]) {
          const Heading heading = {now};
          std::memcpy(buffer.data(), &heading, sizeof(heading));
          if (::send(client(i), buffer.data(), size_, MSG_NOSIGNAL) < 0) {
            if (errno == ENOBUFS) break;
            return fail_errno("the client cannot send");
          }
          ++account().sent;
        }
      }
      const uint64_t wait_ns = std::min(end_ns - now, kSilence);
      if (::poll(sockets.data(), sockets.size(), static_cast<int>(wait_ns / 1'000'000 + 1)) < 0 &&
          errno != EINTR) {
        return fail_errno("poll");
      }
      now = monotonic_ns();
      for (size_t i = 0; i < sockets.size(); ++i) {
        while (::recv(client(i), buffer.data(), size_, MSG_DONTWAIT) > 0) {
          in_flight[i] -= in_flight[i] > 0 ? 1 : 0;
          heard_ns[i] = now;
        }
        if (in_flight[i] > 0 && now - heard_ns[i] > kSilence) {
          in_flight[i] = 0;
          heard_ns[i] = now;
        }
      }
    }
    say_goodbye();
  }

 private:
  const size_t size_;
  const uint64_t window_;
};

}  // namespace

std::vector<Parameter> latency_parameters() {
  return Latency::parameters();
}
std::unique_ptr<Workload> make_latency(const Parameters& parameters) {
  return std::make_unique<Latency>(parameters);
}

std::vector<Parameter> bandwidth_parameters() {
  return Bandwidth::parameters();
}
std::unique_ptr<Workload> make_bandwidth(const Parameters& parameters) {
  return std::make_unique<Bandwidth>(parameters);
}

}  // namespace gilscope
