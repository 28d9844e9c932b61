// latency:background=1,seconds=2[,interval=1ms][,task=count][,port=0]: the client sends a ping to
// each measured thread every `interval`, at set times and whatever became of the last one. The
// thread measures from the sending until it has the ping and the GIL.
#include <sys/socket.h>

#include "userspace/base/time.h"
#include "userspace/eval/programs.h"
#include "userspace/workload/datagrams.h"

namespace gilscope {
namespace {

class Latency : public Datagrams {
 public:
  explicit Latency(const Parameters& parameters)
      : Datagrams(parameters), interval_ns_(parameters.number("interval")) {}

  bool takes_samples() const override { return true; }

  Status run(const WorkThread& thread) override {
    Status status;
    std::vector<char> buffer(sizeof(Heading));
    const auto record = [&]() -> int64_t {
      thread.samples.add(heading(buffer).sent_ns, monotonic_ns());
      thread.count_operation();
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

}  // namespace

std::unique_ptr<Workload> make_latency(const Parameters& parameters) {
  return std::make_unique<Latency>(parameters);
}

}  // namespace gilscope
