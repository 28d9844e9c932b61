// ping-pong:seconds=1[,background=0][,task=count]: the measured threads stand in a ring and pass
// one token round it, by a semaphore each. A thread that has passed it on waits for it as Python's
// locks do: it tries with the GIL held, and then sleeps without it.
//
// Without a lock (policy none) and on one CPU each pass is a wakeup, a switch and little else: the
// most that a scheduler, and so its tracer, can be asked for.
#include <semaphore.h>

#include <cerrno>

#include "userspace/eval/programs.h"
#include "userspace/workload/timed.h"

namespace gilscope {
namespace {

class PingPong : public TimedWorkload {
 public:
  explicit PingPong(const Parameters& parameters) : TimedWorkload(parameters) {}

  Status prepare(size_t threads) override {
    tokens_ = std::vector<sem_t>(threads);
    for (size_t i = 0; i < threads; ++i) sem_init(&tokens_[i], 0, i == 0);
    return {};
  }

  // All threads share one end: no thread may leave while the next one still waits for the token.
  void begin() override { end_ns_ = end_ns(); }

  Status run(const WorkThread& thread) override {
    sem_t& mine = tokens_[thread.index];
    sem_t& next = tokens_[(thread.index + 1) % tokens_.size()];
    const auto take = [&]() -> int64_t {
      if (sem_trywait(&mine) != 0) {
        AllowThreads allow(thread.interpreter.gil(), thread.interpreter.thread());
        while (sem_wait(&mine) != 0 && errno == EINTR) {
        }
      }
      if (monotonic_ns() < end_ns_) return 1;
      sem_post(&next);  // so that it sees the end as well
      return 0;
    };
    const auto pass = [&]() -> int64_t {
      sem_post(&next);
      thread.count_operation();
      return 1;
    };
    thread.interpreter.run(serving_loop(take, pass), {});
    return {};
  }

 private:
  uint64_t end_ns_ = 0;
  std::vector<sem_t> tokens_;  // a thread's semaphore is up while it has the token
};

}  // namespace

std::unique_ptr<Workload> make_ping_pong(const Parameters& parameters) {
  return std::make_unique<PingPong>(parameters);
}

}  // namespace gilscope
