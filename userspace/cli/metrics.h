// `attach --metrics`: a file of metrics that is written anew again and again.
#pragma once

#include <string>

#include "userspace/base/interrupt.h"
#include "userspace/base/result.h"
#include "userspace/live/metrics.h"
#include "userspace/recording/recorder.h"

namespace gilscope {

// Fails if the file could not be written. Changes nothing.
Status check_metrics_file(const std::string& path);

struct MetricsRecording {
  std::string path;
  uint64_t interval_ns = 10'000'000'000;
  std::optional<uint64_t> for_ns;  // empty: until a signal, or the process's end
};

// From opening the window to its end. The last file says that nothing is recorded any more. False:
// a signal came before the time of for_ns was over.
Result<bool> record_metrics(Recorder& recorder, Metrics& metrics, Interrupt& interrupt, int process,
                            const MetricsRecording& recording);

}  // namespace gilscope
