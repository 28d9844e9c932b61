// native:n=20,length=10ms: each measured thread makes n native calls that hold the GIL for `length`
// of CPU time each, as an extension does that never releases it.
#include "userspace/base/time.h"
#include "userspace/eval/programs.h"
#include "userspace/workload/workload.h"

namespace gilscope {
namespace {

class Native : public Workload {
 public:
  explicit Native(const Parameters& parameters)
      : Workload(parameters),
        n_(static_cast<int64_t>(parameters.number("n"))),
        length_ns_(parameters.number("length")) {}

  Status run(const WorkThread& thread) override {
    const Code code = calling_loop([this, &thread] {
      // CPU time, so that a call that is preempted does as much as one that is not.
      const uint64_t end = clock_ns(CLOCK_THREAD_CPUTIME_ID) + length_ns_;
      while (clock_ns(CLOCK_THREAD_CPUTIME_ID) < end) {
      }
      thread.count_operation();
    });
    thread.interpreter.run(code, {&n_, 1});
    return {};
  }

  std::optional<Work> work(const std::string&) const override {
    return Work{.computing_s = static_cast<double>(n_) * static_cast<double>(length_ns_) / 1e9};
  }

 private:
  const int64_t n_;
  const uint64_t length_ns_;
};

}  // namespace

std::unique_ptr<Workload> make_native(const Parameters& parameters) {
  return std::make_unique<Native>(parameters);
}

}  // namespace gilscope
