// bandwidth:background=1,seconds=2[,size=1k][,window=16][,task=count][,port=0]: the client keeps
// `window` datagrams of `size` bytes in flight on each connection, and the measured threads send
// them back.
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>

#include "userspace/base/time.h"
#include "userspace/eval/programs.h"
#include "userspace/workload/datagrams.h"

namespace gilscope {
namespace {

class Bandwidth : public Datagrams {
 public:
  explicit Bandwidth(const Parameters& parameters)
      : Datagrams(parameters),
        size_(parameters.number("size")),
        window_(parameters.number("window")) {}

  Status run(const WorkThread& thread) override {
    Status status;
    std::vector<char> buffer(size_);
    const auto send_back = [&]() -> int64_t {
      AllowThreads allow(thread.interpreter.gil(), thread.interpreter.thread());
      if (::send(server(thread.index), buffer.data(), size_, MSG_NOSIGNAL) < 0) {
        if (errno != ECONNREFUSED) status = fail_errno("a server thread cannot send");
        return 0;
      }
      thread.count_operation();
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
    // After such a silence a whole window may be lost, and the client sends another one.
    constexpr uint64_t kSilence = 500'000'000;
    std::vector<char> buffer(size_);
    std::vector<pollfd> sockets;
    std::vector<uint64_t> in_flight(connections()), received_ns(connections(), monotonic_ns());
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
          received_ns[i] = now;
        }
        if (in_flight[i] > 0 && now - received_ns[i] > kSilence) {
          in_flight[i] = 0;
          received_ns[i] = now;
        }
      }
    }
    say_goodbye();
  }

 private:
  static_assert(sizeof(Heading) == 8, "the descriptor's smallest size");

  const size_t size_;
  const uint64_t window_;
};

}  // namespace

std::unique_ptr<Workload> make_bandwidth(const Parameters& parameters) {
  return std::make_unique<Bandwidth>(parameters);
}

}  // namespace gilscope
