#include "userspace/workload/ping_pong.h"

#include <semaphore.h>

#include <cerrno>

#include "userspace/eval/programs.h"
#include "userspace/util/time.h"

namespace gilscope {
namespace {

constexpr uint64_t kDay = 86'400'000'000'000;

class PingPong : public Workload {
 public:
  explicit PingPong(const Parameters& parameters)
      : Workload(parameters), seconds_ns_(parameters.number("seconds")) {}

  bool bounded_by_time() const override { return true; }
  double expected_s(size_t) const override { return static_cast<double>(seconds_ns_) / 1e9; }
  std::optional<uint64_t> main_sleep_ns() const override { return seconds_ns_; }

  Status prepare(size_t threads) override {
    tokens_ = std::vector<sem_t>(threads);
    for (size_t i = 0; i < threads; ++i) sem_init(&tokens_[i], 0, i == 0);
    return {};
  }

  // One end for all: a thread that waits for the token must not be left behind by the one that is
  // to pass it.
  void begin() override { end_ns_ = monotonic_ns() + seconds_ns_; }

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
  const uint64_t seconds_ns_;
  uint64_t end_ns_ = 0;
  std::vector<sem_t> tokens_;  // a thread's own is up while it has the token
};

}  // namespace

std::vector<Parameter> ping_pong_parameters() {
  return {duration_parameter("seconds", 1'000'000'000, 1'000'000, kDay, true)};
}
std::unique_ptr<Workload> make_ping_pong(const Parameters& parameters) {
  return std::make_unique<PingPong>(parameters);
}

}  // namespace gilscope
