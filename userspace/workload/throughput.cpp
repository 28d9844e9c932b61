// throughput:task=pidigits,n=100: each measured thread does n operations of a task (tasks.h), as in
// CPython's ccbench (Tools/ccbench, 2.7 to 3.11).
#include "userspace/workload/tasks.h"
#include "userspace/workload/workload.h"

namespace gilscope {
namespace {

class Throughput : public Workload {
 public:
  explicit Throughput(const Parameters& parameters)
      : Workload(parameters), task_(parameters.word("task")), n_(parameters.number("n")) {}

  Status run(const WorkThread& thread) override {
    Task task(task_, thread.interpreter);
    for (uint64_t i = 0; i < n_; ++i) {
      task.run_once();
      thread.count_operation();
    }
    return {};
  }

  std::optional<Work> work(const std::string& policy) const override {
    const double seconds = static_cast<double>(n_) * seconds_of(task_, policy);
    if (releases_the_gil(task_)) {
      return Work{.released_s = seconds, .turns = static_cast<double>(n_)};
    }
    return Work{.computing_s = seconds};
  }

 private:
  const std::string task_;
  const uint64_t n_;
};

}  // namespace

std::unique_ptr<Workload> make_throughput(const Parameters& parameters) {
  return std::make_unique<Throughput>(parameters);
}

}  // namespace gilscope
