// count:n=20M[,seconds=S]: each measured thread counts n down to 0 in bytecode, the seed's own
// loop. With main_exit = "kill", and only with it, `seconds` is how long main lives.
#include "userspace/eval/programs.h"
#include "userspace/workload/tasks.h"
#include "userspace/workload/workload.h"

namespace gilscope {
namespace {

class Count : public Workload {
 public:
  explicit Count(const Parameters& parameters)
      : Workload(parameters),
        n_(static_cast<int64_t>(parameters.number("n"))),
        main_sleep_ns_(parameters.optional_number("seconds")) {}

  Status run(const WorkThread& thread) override {
    thread.interpreter.run(code_, {&n_, 1});
    thread.operations = static_cast<uint64_t>(n_);
    return {};
  }

  std::optional<Work> work(const std::string& policy) const override {
    return Work{.computing_s = seconds_of_counting(static_cast<double>(n_), policy)};
  }

  std::optional<uint64_t> main_sleep_ns() const override { return main_sleep_ns_; }

 private:
  const int64_t n_;
  const std::optional<uint64_t> main_sleep_ns_;
  const Code code_ = counting_loop();
};

}  // namespace

std::unique_ptr<Workload> make_count(const Parameters& parameters) {
  return std::make_unique<Count>(parameters);
}

}  // namespace gilscope
