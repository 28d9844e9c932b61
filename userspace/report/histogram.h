// The histogram of the kernel side, as a report has it. The user side fills the same buckets, so
// that what comes from counters and what comes from segments can be laid beside one another.
#pragma once

#include "bpf/histogram.h"
#include "userspace/report/model.h"

namespace gilscope {

Histogram to_report(const gilscope_histogram& histogram);

}  // namespace gilscope
