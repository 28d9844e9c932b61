#include "tools/trace/gil_spans.h"

#include <algorithm>

#include "userspace/descriptor/policy.h"

namespace gilscope {

bool has_one_owner(const Cell& cell) {
  if (!cell.subject) return has_one_owner(cell.policy);
  // Sub-interpreters' GILs are counted together with the main one's.
  return has_gil(cell) && cell.subject->gils_of_others.empty();
}

namespace {

// Asleep until another thread has the GIL, which only who has let it go does: such a sleep is no
// failed attempt.
bool in_forced_switch(const gilscope_segment& segment) {
  return segment.ended == GILSCOPE_ENDED_BLOCKED_GIL && segment.seen == 0 &&
         segment.contended + segment.woken_lost + segment.timed_out == 0;
}

}  // namespace

GilSpans::GilSpans(std::vector<uint32_t> tids, bool one_owner, GilSpansReader& reader,
                   bool of_subject)
    : threads_(tids.size()), one_owner_(one_owner), of_subject_(of_subject), reader_(reader) {
  for (size_t i = 0; i < tids.size(); ++i) threads_[i].tid = tids[i];
}

void GilSpans::add_thread(uint32_t tid) {
  threads_.push_back({.tid = tid});
}

void GilSpans::visit(const Moment& moment) {
  const uint32_t thread = moment.thread();
  const gilscope_segment& segment = moment.segment;
  if (moment.kind == Moment::Kind::ran) {
    if (holds(segment) && !threads_[thread].holding) take(thread, moment);
    // Of a model every acquisition is counted.
    threads_[thread].certain = moment.gil_before == GILSCOPE_HOLDING &&
                               segment.gil_state == GILSCOPE_HOLDING && !segment.acquires;
  } else if (moment.kind == Moment::Kind::ended) {
    const bool gone =
        segment.ended == GILSCOPE_ENDED_LEFT || segment.ended == GILSCOPE_ENDED_EXITED;
    if (gone || segment.gil_state != GILSCOPE_HOLDING) stop_holding(thread, moment.ns);
    threads_[thread].certain = true;
    if (gone || segment.gil_state != GILSCOPE_WAITING) {
      stop_waiting(thread, moment.ns);
    } else if (!threads_[thread].waiting) {
      threads_[thread].waiting = true;
      threads_[thread].since_ns = moment.ns;
      waiters_ += 1;
    }
  }
  choose_owner(moment.ns);
}

// A thread that holds without an acquisition took the GIL before it was traced.
bool GilSpans::holds(const gilscope_segment& segment) const {
  return segment.acquires || segment.gil_state == GILSCOPE_HOLDING ||
         (of_subject_ && in_forced_switch(segment));
}

void GilSpans::take(uint32_t thread, const Moment& moment) {
  const uint64_t ns = moment.ns;
  if (one_owner_ && last_holder_ && *last_holder_ != thread) {
    const OfThread& from = threads_[*last_holder_];
    Handoff handoff{*last_holder_, thread, std::nullopt, ns, static_cast<uint32_t>(waiters_)};
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
  last_holder_ = thread;
}

void GilSpans::stop_holding(uint32_t thread, uint64_t ns) {
  OfThread& of = threads_[thread];
  if (!of.holding) return;
  reader_.span({GilSpan::Kind::holding, thread, of.since_ns, ns});
  of.holding = false;
  std::erase(holders_, thread);
  if (!holders_.empty()) last_holder_ = holders_.back();
}

void GilSpans::stop_waiting(uint32_t thread, uint64_t ns) {
  OfThread& of = threads_[thread];
  if (!of.waiting) return;
  reader_.span({GilSpan::Kind::waiting, thread, of.since_ns, ns});
  of.waiting = false;
  waiters_ -= 1;
}

// Only one thread holds a lock at a time: one that certainly does leaves none to the others.
void GilSpans::choose_owner(uint64_t ns) {
  if (!one_owner_) return;
  std::optional<uint32_t> owner;
  size_t certain = 0;
  for (const uint32_t holder : holders_) {
    if (!threads_[holder].certain && certain) continue;
    owner = holder;
    certain += threads_[holder].certain ? 1 : 0;
  }
  owner_is_certain_ = certain == 1;  // several: records are missing
  change_owner(owner, ns);
}

void GilSpans::change_owner(std::optional<uint32_t> to, uint64_t ns) {
  if (owner_ == to) return;
  if (owner_ && ns > owner_since_ns_) reader_.owner({*owner_, owner_since_ns_, ns});
  owner_ = to;
  owner_since_ns_ = ns;
}

void GilSpans::finish(uint64_t ns) {
  for (uint32_t thread = 0; thread < threads_.size(); ++thread) {
    stop_holding(thread, std::max(ns, threads_[thread].since_ns));
    stop_waiting(thread, std::max(ns, threads_[thread].since_ns));
    choose_owner(ns);
  }
}

}  // namespace gilscope
