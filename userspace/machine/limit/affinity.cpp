// Limits CPUs by affinity: sets the worker's mask, which its threads inherit. Scheduling domains,
// slices and other tasks stay as they are.
#include "userspace/machine/limit/cpu_limiter.h"
#include "userspace/machine/limit/masks.h"

namespace gilscope {
namespace {

class AffinityLimiter : public CpuLimiter {
 public:
  Status check(const std::vector<CpuSet>&) const override { return {}; }
  Status apply(const CpuSet&) override { return {}; }
  Status enter(const CpuSet& cpus) const override { return set_mask(0, cpus); }
  Status restore() override { return {}; }
  std::string how() const override { return "sched_setaffinity of the worker"; }
};

}  // namespace

std::unique_ptr<CpuLimiter> make_affinity_limiter() {
  return std::make_unique<AffinityLimiter>();
}

}  // namespace gilscope
