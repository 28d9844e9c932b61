#include "tools/export/perfetto_gil.h"

#include "bpf/segment.h"

namespace gilscope::perfetto {
namespace {

// Of real programs.
constexpr std::pair<enum gilscope_seen, const char*> kSeen[] = {
    {GILSCOPE_SEEN_UNDECIDED, "failed, kind unknown"},
    {GILSCOPE_SEEN_MUTEX_SLEEP, "asleep on the GIL's mutex"},
    {GILSCOPE_SEEN_RELEASE_STALL, "stalled while giving it up"},
};

std::vector<uint32_t> tids(const std::vector<TracedThread>& threads) {
  std::vector<uint32_t> tids;
  for (const TracedThread& thread : threads) tids.push_back(thread.tid);
  return tids;
}

}  // namespace

GilTracks::GilTracks(Packets& packets, const TrackIds& ids,
                     const std::vector<TracedThread>& threads, bool one_owner, bool of_subject,
                     uint64_t& next_flow)
    : tracks_(packets),
      events_(packets),
      ids_(ids),
      threads_(threads),
      next_flow_(next_flow),
      spans_(tids(threads), one_owner, *this, of_subject),
      requests_(threads.size()) {}

void GilTracks::visit(const Moment& moment) {
  spans_.visit(moment);
  count_waiters(moment.ns);
  last_ns_ = moment.ns;
  if (moment.kind != Moment::Kind::ended) return;

  const gilscope_segment& segment = moment.segment;
  const uint64_t track = ids_.gil_of_thread(moment.thread());
  if (gilscope_wasted_wakeup(&segment)) events_.mark(track, moment.ns, Name::wasted_wakeup);
  if (segment.drop_requests) {
    events_.mark(track, moment.ns, Name::drop_request, {{Note::requests, segment.drop_requests}});
  }
  for (const auto& [flag, name] : kSeen) {
    if (segment.seen & flag) events_.mark(track, moment.ns, name, {});
  }
  count_failed(segment, moment.ns);
  remember_requests(segment);
}

void GilTracks::finish() {
  spans_.finish(last_ns_);
  count_waiters(last_ns_);
}

void GilTracks::span(const GilSpan& span) {
  events_.slice(ids_.gil_of_thread(span.thread), span.from_ns, span.to_ns,
                span.kind == GilSpan::Kind::holding ? Name::holding : Name::waiting);
}

void GilTracks::owner(const OwnerSpan& span) {
  events_.slice(ids_.owner(), span.from_ns, span.to_ns, threads_[span.thread].name);
}

void GilTracks::handoff(const Handoff& handoff) {
  const uint64_t to = ids_.gil_of_thread(handoff.to);
  if (handoff.release_ns) {
    const uint64_t id = ++next_flow_;
    events_.mark(ids_.gil_of_thread(handoff.from), *handoff.release_ns, Name::released, {},
                 {Flow::End::begins, id});
    events_.mark(to, handoff.acquire_ns, Name::acquired,
                 {{Note::waiters, handoff.waiters}, {Note::latency_ns, *handoff.latency_ns()}},
                 {Flow::End::ends, id});
  } else {
    events_.mark(to, handoff.acquire_ns, Name::acquired, {{Note::waiters, handoff.waiters}});
  }
  if (const uint64_t requests = requests_[handoff.to]) {
    events_.mark(to, handoff.acquire_ns, Name::forced_switch, {{Note::requests, requests}});
  }
}

void GilTracks::count_waiters(uint64_t ns) {
  if (waiters_ == spans_.waiters()) return;
  waiters_ = spans_.waiters();
  events_.counter(ids_.waiters(), ns, *waiters_);
}

// The three kinds are never added up under one name (docs/metrics.md).
void GilTracks::count_failed(const gilscope_segment& segment, uint64_t ns) {
  const bool first = !cpus_.contains(segment.cpu);
  if (first) tracks_.declare_cpu(ids_, segment.cpu);
  const auto add = [&](uint64_t track, uint64_t& sum, uint32_t more) {
    if (!more && !first) return;
    sum += more;
    events_.counter(track, ns, sum);
  };
  CpuTrace& cpu = cpus_[segment.cpu];
  add(ids_.contended(segment.cpu), cpu.contended, segment.contended);
  add(ids_.woken_lost(segment.cpu), cpu.woken_lost, segment.woken_lost);
  add(ids_.timed_out(segment.cpu), cpu.timed_out, segment.timed_out);
}

// The requests of a segment with an acquisition were made before it, or after it by a thread that
// is waiting again. Segments do not tell which, so the state at the end decides.
void GilTracks::remember_requests(const gilscope_segment& segment) {
  uint64_t& requests = requests_[segment.thread];
  if (segment.acquires) requests = 0;
  if (!segment.acquires || segment.gil_state == GILSCOPE_WAITING) {
    requests += segment.drop_requests;
  }
}

}  // namespace gilscope::perfetto
