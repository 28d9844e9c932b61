#include "userspace/workload/ping_pong.h"

#include <semaphore.h>

#include <cerrno>

#include "userspace/eval/programs.h"
#include "userspace/workload/timed.h"

namespace gilscope {
namespace {

class PingPong : public TimedWorkload {
 public:
  explicit PingPong(const Parameters& parameters) : TimedWorkload(parameters) {}

  static std::vector<Parameter> parameters() { return {seconds_parameter(1'000'000'000)}; }

  Status prepare(size_t threads) override {
    tokens_ = std::vector<sem_t>(threads);
    for (size_t i = 0; i < threads; ++i) sem_init(&tokens_[i], 0, i == 0);
    return {};
  }

  // One end for all: a thread that waits for the token must not be left behind by the one that is
  // to pass it.
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
      sem_post(&next);  // that it sees the end as well
      return 0;
    };
    const auto pass = [&]() -> int64_t {
      sem_post(&next);
      thread.did_one();
      return 1;
    };
    thread.interpreter.run(serving_loop(take, pass), {});
    return {};
  }

 private:
  uint64_t end_ns_ = 0;
  std::vector<sem_t> tokens_;  // a thread's own is up while it has the token
};

}  // namespace

std::vector<Parameter> ping_pong_parameters() {
  return PingPong::parameters();
}
std::unique_ptr<Workload> make_ping_pong(const Parameters& parameters) {
  return std::make_unique<PingPong>(parameters);
}

}  // namespace gilscope
