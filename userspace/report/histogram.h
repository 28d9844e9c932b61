// Turns a histogram of the kernel side into a report's. The user side fills the same buckets, so
// that numbers from counters and from segments can be compared.
#pragma once

#include "bpf/histogram.h"
#include "userspace/report/model.h"

namespace gilscope {

Histogram to_report(const gilscope_histogram& histogram);

}  // namespace gilscope
