// The GIL's tracks of one run: its owner, who holds it or waits for it, hand-offs, failed
// acquisitions and wasted wakeups.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "tools/export/perfetto_events.h"
#include "tools/export/perfetto_tracks.h"
#include "tools/trace/gil_spans.h"

namespace gilscope::perfetto {

class GilTracks : private GilSpansReader {
 public:
  // `next_flow` counts the flows of the whole trace.
  GilTracks(Packets& packets, const TrackIds& ids, const std::vector<TracedThread>& threads,
            bool one_owner, bool of_subject, uint64_t& next_flow);

  void visit(const Moment& moment);
  void finish();

 private:
  struct CpuTrace {
    uint64_t contended = 0, woken_lost = 0, timed_out = 0;
  };

  void span(const GilSpan& span) override;
  void owner(const OwnerSpan& span) override;
  void handoff(const Handoff& handoff) override;
  void count_waiters(uint64_t ns);
  void count_failed(const gilscope_segment& segment, uint64_t ns);
  void remember_requests(const gilscope_segment& segment);

  Tracks tracks_;
  Events events_;
  TrackIds ids_;
  const std::vector<TracedThread>& threads_;
  uint64_t& next_flow_;
  GilSpans spans_;
  std::optional<uint64_t> waiters_;  // as last written
  std::map<uint32_t, CpuTrace> cpus_;
  // By slot: drop requests since the thread last had the GIL.
  std::vector<uint64_t> requests_;
  uint64_t last_ns_ = 0;
};

}  // namespace gilscope::perfetto
