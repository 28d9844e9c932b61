#include "userspace/report/model.h"

#include <algorithm>
#include <cmath>

namespace gilscope {

namespace {

void add(uint64_t& sum, uint64_t value) {
  sum += value;
}

void add(std::optional<uint64_t>& sum, std::optional<uint64_t> value) {
  sum = sum && value ? std::optional(*sum + *value) : std::nullopt;
}

}  // namespace

GilCounts GilCounts::of_subject() {
  GilCounts none;
#define GILSCOPE_UNSEEN_always(key)
#define GILSCOPE_UNSEEN_optional(key) none.key.reset();
#define GIL(key, known, definition) GILSCOPE_UNSEEN_##known(key)
#define GIL_OF_SUBJECT(key, definition) none.key = 0;
#include "bpf/numbers.def"
  return none;
}

GilCounts& GilCounts::operator+=(const GilCounts& other) {
#define GIL(key, ...) add(key, other.key);
#define GIL_OF_SUBJECT(key, definition) add(key, other.key);
#define GIL_OF_PROCESS(key, definition) add(key, other.key);
#include "bpf/numbers.def"
  return *this;
}

uint64_t Histogram::count() const {
  uint64_t total = 0;
  for (const Bucket& bucket : buckets) total += bucket.count;
  return total;
}

std::optional<uint64_t> Histogram::quantile_ns(double q) const {
  const uint64_t total = count();
  if (total == 0) return std::nullopt;
  // The rank of the smallest sample that at least q of all samples do not exceed.
  const double rank = std::max(1.0, std::ceil(std::clamp(q, 0.0, 1.0) * double(total)));
  double seen = 0;
  for (const Bucket& bucket : buckets) {
    seen += double(bucket.count);
    if (seen >= rank) return std::min(bucket.high_ns, max_ns);
  }
  return max_ns;
}

Histogram& Histogram::operator+=(const Histogram& other) {
  std::vector<Bucket> merged;
  merged.reserve(buckets.size() + other.buckets.size());
  std::merge(buckets.begin(), buckets.end(), other.buckets.begin(), other.buckets.end(),
             std::back_inserter(merged),
             [](const Bucket& a, const Bucket& b) { return a.low_ns < b.low_ns; });
  buckets.clear();
  for (const Bucket& bucket : merged) {
    if (!buckets.empty() && buckets.back().low_ns == bucket.low_ns) {
      buckets.back().count += bucket.count;
    } else {
      buckets.push_back(bucket);
    }
  }
  max_ns = std::max(max_ns, other.max_ns);
  return *this;
}

Histograms& Histograms::operator+=(const Histograms& other) {
  wake_to_run += other.wake_to_run;
  preempt_wait += other.preempt_wait;
  run += other.run;
  return *this;
}

}  // namespace gilscope
