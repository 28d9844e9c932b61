#include "userspace/cli/metrics.h"

#include <sys/stat.h>

#include <algorithm>

#include "userspace/base/kernel_time.h"
#include "userspace/base/output_file.h"
#include "userspace/base/time.h"
#include "userspace/cli/recording.h"

namespace gilscope {
namespace {

// Findings from segments are taken so often, so that few segments wait.
constexpr uint64_t kCollect = 1'000'000'000;

Status write_file(const std::string& path, const std::string& text) {
  auto file = OutputFile::create(path);
  if (!file) return fail(file.error());
  if (Status written = file->write(text); !written) return written;
  return file->finish();
}

class MetricsLoop {
 public:
  MetricsLoop(Recorder& recorder, Metrics& metrics, const MetricsRecording& recording)
      : recorder_(recorder), metrics_(metrics), recording_(recording) {}

  void begin() { began_ns_ = kernel_monotonic_ns(); }
  Status collect() {
    const uint64_t settled = recorder_.settled_ns();
    if (Status taken = recorder_.step(); !taken) return taken;
    // A thread that runs on and on settles nothing: its segment is taken as it comes.
    const uint64_t now = kernel_monotonic_ns();
    metrics_.collect(recorder_.live(), std::max(settled, now - std::min(now, 2 * kCollect)));
    return {};
  }
  Status write(bool up) const {
    return write_file(recording_.path, metrics_.text(up, kernel_monotonic_ns() - began_ns_,
                                                     clock_ns(CLOCK_PROCESS_CPUTIME_ID)));
  }

 private:
  Recorder& recorder_;
  Metrics& metrics_;
  const MetricsRecording& recording_;
  uint64_t began_ns_ = 0;
};

}  // namespace

Status check_metrics_file(const std::string& path) {
  const auto file = OutputFile::create(path);  // removed again: it is not finished
  return file ? Status() : fail(file.error());
}

Result<bool> record_metrics(Recorder& recorder, Metrics& metrics, Interrupt& interrupt, int process,
                            const MetricsRecording& recording) {
  ::umask(S_IWGRP | S_IWOTH);  // whoever collects metrics may read the file
  MetricsLoop loop(recorder, metrics, recording);
  if (Status opened = recorder.open(); !opened) return fail(opened.error());
  loop.begin();
  const uint64_t every = std::min(kCollect, recording.interval_ns);
  uint64_t next_collect = monotonic_ns() + every, next_write = monotonic_ns();
  const uint64_t end = recording.for_ns ? monotonic_ns() + *recording.for_ns : UINT64_MAX;
  bool whole = true, over = false, ended = false;
  while (!over) {
    // The watch gives a step at least so often.
    const uint64_t now = monotonic_ns();
    const uint64_t next = std::min(next_collect, end);
    RecordingWatch watch(recorder, interrupt, ended ? -1 : process, next > now ? next - now : 0);
    const auto event = watch.next();
    if (!event) return fail(event.error());
    ended = ended || *event == RecordingWatch::Event::ended;
    if (*event == RecordingWatch::Event::signal) {
      over = true;
      whole = end == UINT64_MAX;
    }
    if (ended && recorder.processes() == 0) over = true;
    if (monotonic_ns() >= end) over = true;
    if (monotonic_ns() < next_collect && !over) continue;
    next_collect = monotonic_ns() + every;
    if (Status collected = loop.collect(); !collected) return fail(collected.error());
    if (over || monotonic_ns() < next_write) continue;
    next_write = monotonic_ns() + recording.interval_ns;
    if (Status written = loop.write(true); !written) return fail(written.error());
  }
  if (Status closed = recorder.close(); !closed) return fail(closed.error());
  if (Status collected = loop.collect(); !collected) return fail(collected.error());
  if (Status written = loop.write(false); !written) return fail(written.error());
  return whole;
}

}  // namespace gilscope
