#include "tools/html/windows.h"

#include <algorithm>
#include <map>

#include "bpf/segment.h"
#include "tools/analysis/summary.h"

namespace gilscope {
namespace {

// Bounds the memory of a window; more segments than a page has room for.
constexpr size_t kMostSegments = 20'000;
constexpr uint64_t kStepNs = 1'000'000;
constexpr uint64_t kSteps = kWindowNs / kStepNs;
// How many steps back a segment may still change a sum: a wait counts at its end, but the segment
// after it is written only when that has ended.
constexpr uint64_t kLateSteps = 10'000;

// How bad a period is.
struct Badness {
  uint64_t wasted = 0, waited_ns = 0;

  auto operator<=>(const Badness&) const = default;
  Badness& operator+=(const Badness& other) {
    wasted += other.wasted, waited_ns += other.waited_ns;
    return *this;
  }
  Badness& operator-=(const Badness& other) {
    wasted -= other.wasted, waited_ns -= other.waited_ns;
    return *this;
  }
};

// Finds the worst window of a run, to the millisecond, from segments in the order of the file.
class Worst {
 public:
  void visit(const gilscope_segment& segment) {
    first_ns_ = std::min<uint64_t>(first_ns_, segment.run_ns);
    Badness& step = steps_[std::max<uint64_t>(segment.run_ns / kStepNs, done_)];
    step.wasted += gilscope_wasted_wakeup(&segment) ? 1 : 0;
    if (segment.began != GILSCOPE_BEGAN_ENTERED) {
      step.waited_ns += segment.run_ns - segment.ready_ns;
    }
    // Finishes steps that are far enough back to be complete, to keep few of them.
    const uint64_t now = segment.end_ns / kStepNs;
    while (steps_.begin()->first + kLateSteps < now) pass();
  }
  void finish() {
    while (!steps_.empty()) pass();
  }

  uint64_t first_ns() const { return first_ns_; }
  uint64_t from_ns() const { return std::max(worst_step_ * kStepNs, first_ns_); }
  const Badness& badness() const { return worst_; }

 private:
  void pass() {
    const auto oldest = steps_.begin();
    done_ = oldest->first;
    in_window_.push_back(*oldest);
    sum_ += oldest->second;
    steps_.erase(oldest);
    size_t gone = 0;
    while (in_window_[gone].first + kSteps <= done_) sum_ -= in_window_[gone++].second;
    in_window_.erase(in_window_.begin(), in_window_.begin() + ptrdiff_t(gone));
    if (sum_ > worst_) worst_ = sum_, worst_step_ = in_window_.front().first;
  }

  std::map<uint64_t, Badness> steps_;
  std::vector<std::pair<uint64_t, Badness>> in_window_;
  uint64_t done_ = 0, worst_step_ = 0, first_ns_ = UINT64_MAX;
  Badness sum_, worst_;
};

class Collector {
 public:
  Collector(const Run& run, uint64_t trace_from_ns, uint64_t from_ns)
      : before_(run.threads.size()), behind_(run.threads.size()) {
    window_.run = &run;
    window_.trace_from_ns = trace_from_ns;
    window_.from_ns = from_ns;
    window_.to_ns = from_ns + kWindowNs;
    window_.threads.resize(run.threads.size());
  }

  void visit(const gilscope_segment& segment) {
    last_ns_ = std::max<uint64_t>(last_ns_, segment.end_ns);
    if (segment.end_ns <= window_.from_ns) {
      before_[segment.thread] = segment;
    } else if (segment.run_ns < window_.to_ns) {
      window_.threads[segment.thread].push_back(segment);
      if (++kept_ > kMostSegments) {
        window_.shorten(0.5);
        kept_ = window_.segments();
      }
    } else if (!behind_[segment.thread]) {
      behind_[segment.thread] = segment;
    }
  }

  TraceWindow finish() {
    for (size_t thread = 0; thread < window_.threads.size(); ++thread) {
      auto& segments = window_.threads[thread];
      if (before_[thread]) segments.insert(segments.begin(), *before_[thread]);
      const bool ends_within = segments.empty() || segments.back().run_ns < window_.to_ns;
      if (behind_[thread] && ends_within) segments.push_back(*behind_[thread]);
    }
    if (last_ns_ > window_.from_ns) window_.to_ns = std::min(window_.to_ns, last_ns_);
    return std::move(window_);
  }

 private:
  TraceWindow window_;
  std::vector<std::optional<gilscope_segment>> before_, behind_;
  size_t kept_ = 0;
  uint64_t last_ns_ = 0;
};

template <typename Visitor>
Status each_segment(const RunTrace& trace, Visitor visit) {
  return trace.each([&](std::span<const gilscope_segment> segments) -> Status {
    for (const gilscope_segment& segment : segments) visit(segment);
    return {};
  });
}

Result<TraceWindow> collect(const RunTrace& trace, uint64_t trace_from_ns, uint64_t from_ns) {
  Collector collector(trace.run(), trace_from_ns, from_ns);
  const Status read = each_segment(trace, [&](const auto& segment) { collector.visit(segment); });
  if (!read) return fail(read.error());
  TraceWindow window = collector.finish();
  for (const auto& thread : window.threads) {
    for (const gilscope_segment& segment : thread) {
      const bool within = segment.run_ns >= window.from_ns && segment.run_ns < window.to_ns;
      window.wasted_wakeups += within && gilscope_wasted_wakeup(&segment) ? 1 : 0;
    }
  }
  return window;
}

bool counts(const Run& run) {
  return measured(run) && run.traced();
}

}  // namespace

size_t TraceWindow::segments() const {
  size_t sum = 0;
  for (const auto& thread : threads) sum += thread.size();
  return sum;
}

void TraceWindow::shorten(double share) {
  std::vector<uint64_t> begins;
  for (const auto& thread : threads) {
    for (const gilscope_segment& segment : thread) {
      if (segment.run_ns >= from_ns && segment.run_ns < to_ns) begins.push_back(segment.run_ns);
    }
  }
  if (begins.empty()) return;
  const auto last = begins.begin() + ptrdiff_t(double(begins.size() - 1) * share);
  std::nth_element(begins.begin(), last, begins.end());
  to_ns = std::max(*last, from_ns + 1);
  cut = true;
  wasted_wakeups = 0;
  for (auto& thread : threads) {
    const auto behind = std::ranges::find_if(
        thread, [&](const gilscope_segment& segment) { return segment.run_ns >= to_ns; });
    if (behind != thread.end()) thread.erase(behind + 1, thread.end());
    for (const gilscope_segment& segment : thread) {
      const bool within = segment.run_ns >= from_ns && segment.run_ns < to_ns;
      wasted_wakeups += within && gilscope_wasted_wakeup(&segment) ? 1 : 0;
    }
  }
}

Result<CellWindows> cell_windows(const TraceDirectory& directory, const Report& report,
                                 const Cell& cell) {
  struct Place {
    const Run* run;
    uint64_t trace_from_ns, from_ns;
    Badness badness;
  };
  std::optional<Place> first, worst;
  for (const Run& run : cell.runs) {
    if (!counts(run) || run.segments_file.empty() || !directory.has(run.segments_file)) continue;
    const auto trace = RunTrace::open(directory, report, cell, run);
    if (!trace) return fail(trace.error());
    if (trace->records() == 0) continue;
    Worst of_run;
    const Status read = each_segment(*trace, [&](const auto& segment) { of_run.visit(segment); });
    if (!read) return fail(read.error());
    of_run.finish();
    if (!first || run.block < first->run->block) {
      first = {&run, of_run.first_ns(), of_run.first_ns(), {}};
    }
    if (!worst || of_run.badness() > worst->badness) {
      worst = {&run, of_run.first_ns(), of_run.from_ns(), of_run.badness()};
    }
  }
  CellWindows windows;
  for (const auto& [place, window] :
       {std::pair(&first, &windows.first), std::pair(&worst, &windows.worst)}) {
    if (!*place) continue;
    const auto trace = RunTrace::open(directory, report, cell, *(*place)->run);
    if (!trace) return fail(trace.error());
    auto collected = collect(*trace, (*place)->trace_from_ns, (*place)->from_ns);
    if (!collected) return fail(collected.error());
    *window = std::move(*collected);
  }
  return windows;
}

}  // namespace gilscope
