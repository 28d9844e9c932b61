#include "userspace/report/histogram.h"

#include <algorithm>

namespace gilscope {

Histogram to_report(const gilscope_histogram& histogram) {
  Histogram result;
  result.max_ns = histogram.max;
  for (uint32_t i = 0; i < GILSCOPE_BUCKETS; ++i) {
    if (!histogram.buckets[i]) continue;
    uint64_t low = gilscope_bucket_low(i);
    uint64_t high = i + 1 < GILSCOPE_BUCKETS ? gilscope_bucket_low(i + 1)
                                             : std::max<uint64_t>(histogram.max + 1, low + 1);
    result.buckets.push_back({low, high, histogram.buckets[i]});
  }
  return result;
}

}  // namespace gilscope
