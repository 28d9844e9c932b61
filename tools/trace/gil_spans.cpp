#include "tools/trace/gil_spans.h"

#include <algorithm>

namespace gilscope {

GilSpans::GilSpans(std::vector<uint32_t> tids, bool one_owner, GilSpansReader& reader)
    : threads_(tids.size()), one_owner_(one_owner), reader_(reader) {
  for (size_t i = 0; i < tids.size(); ++i) threads_[i].tid = tids[i];
}

void GilSpans::visit(const Moment& moment) {
  const uint32_t thread = moment.thread();
  const gilscope_segment& segment = moment.segment;
  if (moment.kind == Moment::Kind::ran) {
    // A thread that holds without an acquisition took the GIL before it was traced.
    const bool holds = segment.acquires || segment.gil_state == GILSCOPE_HOLDING;
    if (holds && !threads_[thread].holding) take(thread, moment);
  } else if (moment.kind == Moment::Kind::ended) {
    const bool gone =
        segment.ended == GILSCOPE_ENDED_LEFT || segment.ended == GILSCOPE_ENDED_EXITED;
    if (gone || segment.gil_state != GILSCOPE_HOLDING) stop_holding(thread, moment.ns);
    if (gone || segment.gil_state != GILSCOPE_WAITING) {
      stop_waiting(thread, moment.ns);
    } else if (!threads_[thread].waiting) {
      threads_[thread].waiting = true;
      threads_[thread].since_ns = moment.ns;
      waiters_ += 1;
    }
  }
}

void GilSpans::take(uint32_t thread, const Moment& moment) {
  const uint64_t ns = moment.ns;
  if (one_owner_ && last_owner_ && *last_owner_ != thread) {
    const OfThread& from = threads_[*last_owner_];
    Handoff handoff{*last_owner_, thread, std::nullopt, ns, static_cast<uint32_t>(waiters_)};
    const gilscope_segment& segment = moment.segment;
    if (segment.began == GILSCOPE_BEGAN_WOKEN && moment.gil_before == GILSCOPE_WAITING &&
        segment.waker_tid == from.tid) {
      handoff.release_ns = std::min<uint64_t>(segment.ready_ns, ns);
    }
    reader_.handoff(handoff);
  }
  stop_waiting(thread, ns);
  threads_[thread].holding = true;
  threads_[thread].since_ns = ns;
  holders_.push_back(thread);
  change_owner(thread, ns);
}

void GilSpans::stop_holding(uint32_t thread, uint64_t ns) {
  OfThread& of = threads_[thread];
  if (!of.holding) return;
  reader_.span({GilSpan::Kind::holding, thread, of.since_ns, ns});
  of.holding = false;
  std::erase(holders_, thread);
  change_owner(holders_.empty() ? std::nullopt : std::optional(holders_.back()), ns);
}

void GilSpans::stop_waiting(uint32_t thread, uint64_t ns) {
  OfThread& of = threads_[thread];
  if (!of.waiting) return;
  reader_.span({GilSpan::Kind::waiting, thread, of.since_ns, ns});
  of.waiting = false;
  waiters_ -= 1;
}

void GilSpans::change_owner(std::optional<uint32_t> to, uint64_t ns) {
  if (!one_owner_ || owner_ == to) return;
  if (owner_ && ns > owner_since_ns_) reader_.owner({*owner_, owner_since_ns_, ns});
  owner_ = to;
  owner_since_ns_ = ns;
  if (to) last_owner_ = to;
}

void GilSpans::finish(uint64_t ns) {
  for (uint32_t thread = 0; thread < threads_.size(); ++thread) {
    stop_holding(thread, std::max(ns, threads_[thread].since_ns));
    stop_waiting(thread, std::max(ns, threads_[thread].since_ns));
  }
}

}  // namespace gilscope
