#include "tools/live/ordered_moments.h"

#include <algorithm>

namespace gilscope {

void OrderedMoments::push(uint32_t place) {
  const Moment& moment = segments_[place];
  queue_.push({moment.ns, moment.kind, place, orders_[place]});
}

void OrderedMoments::add(std::span<const gilscope_segment> segments) {
  for (const gilscope_segment& segment : segments) {
    if (segment.thread >= threads_.size()) threads_.resize(segment.thread + 1);
    OfThread& thread = threads_[segment.thread];
    Moment moment{};
    moment.segment = segment;
    moment.gil_before = thread.gil_state;
    moment.last_end_ns = thread.end_ns;
    const bool entered = thread.end_ns == 0 && segment.began == GILSCOPE_BEGAN_ENTERED;
    moment.kind = entered ? Moment::Kind::ran : Moment::Kind::ready;
    // A thread can be woken while it is still going to sleep; this keeps its moments in order.
    moment.ns = std::max<uint64_t>(entered ? segment.run_ns : segment.ready_ns, thread.end_ns);
    if (moment.ns < passed_ns_) ++late_;
    thread.gil_state = segment.gil_state;
    thread.end_ns = segment.end_ns;
    uint32_t place = static_cast<uint32_t>(segments_.size());
    if (free_.empty()) {
      segments_.push_back(moment);
      orders_.push_back(order_++);
    } else {
      place = free_.back();
      free_.pop_back();
      segments_[place] = moment;
      orders_[place] = order_++;
    }
    push(place);
  }
}

void OrderedMoments::forget(uint32_t thread) {
  if (thread < threads_.size()) threads_[thread] = {};
}

void OrderedMoments::until(uint64_t ns, const Visit& visit) {
  passed_ns_ = std::max(passed_ns_, ns);
  while (!queue_.empty() && queue_.top().ns <= ns) {
    const uint32_t place = queue_.top().place;
    queue_.pop();
    Moment& moment = segments_[place];
    visit(moment);
    if (moment.kind == Moment::Kind::ended) {
      free_.push_back(place);
      continue;
    }
    const bool ready = moment.kind == Moment::Kind::ready;
    moment.kind = ready ? Moment::Kind::ran : Moment::Kind::ended;
    const uint64_t next = ready ? moment.segment.run_ns : moment.segment.end_ns;
    moment.ns = std::max(moment.ns, next);
    push(place);
  }
}

}  // namespace gilscope
