// none: no global lock, as Jython or a free-threaded CPython. Every acquisition succeeds at once,
// also while another thread holds it; the threads protect what they share themselves.
#include "userspace/descriptor/policy.h"
#include "userspace/gil/gil.h"

namespace gilscope {
namespace {

class NoLock : public Gil {
 public:
  void acquire(GilThread& thread) override { thread.board.acquired(); }
  void release(GilThread& thread) override { thread.board.released(); }
  void checkpoint(GilThread&) override {}

  // A free-threaded CPython also looks at its word on back edges; here nobody sets it.
  Checks checks() const override { return Checks::back_edges; }
  std::atomic<int32_t>& breaker(GilThread& thread) override { return thread.eval_breaker; }
};

}  // namespace

std::unique_ptr<Gil> make_none(const PolicyArguments&) {
  return std::make_unique<NoLock>();
}

}  // namespace gilscope
