#include "tools/trace/moments.h"

#include <algorithm>
#include <queue>

#include "tools/trace/thread_order.h"

namespace gilscope {
namespace {

constexpr size_t kRead = 128;  // records of a thread read at once

// The moments of one thread, in order.
class ThreadMoments {
 public:
  ThreadMoments(const ThreadOrder& order, size_t thread) : order_(&order), thread_(thread) {}

  // Advances to the next moment; returns false after the last.
  Result<bool> next() {
    if (begun_ && moment_.kind == Moment::Kind::ready) {
      be(Moment::Kind::ran, moment_.segment.run_ns);
      return true;
    }
    if (begun_ && moment_.kind == Moment::Kind::ran) {
      be(Moment::Kind::ended, moment_.segment.end_ns);
      return true;
    }
    auto segment = next_segment();
    if (!segment) return fail(segment.error());
    if (!*segment) return false;
    if (begun_) {
      moment_.gil_before = moment_.segment.gil_state;
      moment_.last_end_ns = moment_.segment.end_ns;
    }
    moment_.segment = **segment;
    const bool first = !begun_;
    begun_ = true;
    if (first && moment_.segment.began == GILSCOPE_BEGAN_ENTERED) {
      be(Moment::Kind::ran, moment_.segment.run_ns);
    } else {
      be(Moment::Kind::ready, moment_.segment.ready_ns);
    }
    return true;
  }

  const Moment& moment() const { return moment_; }

 private:
  // A thread can be woken while it is still going to sleep; this keeps its moments in order.
  void be(Moment::Kind kind, uint64_t ns) {
    moment_.kind = kind;
    moment_.ns = std::max(moment_.ns, ns);
  }

  Result<std::optional<gilscope_segment>> next_segment() {
    if (at_ == piece_.size()) {
      buffer_.resize(kRead);
      auto read = order_->read(thread_, read_, buffer_);
      if (!read) return fail(read.error());
      piece_ = *read;
      read_ += piece_.size();
      at_ = 0;
    }
    if (piece_.empty()) return std::optional<gilscope_segment>();
    return std::optional(piece_[at_++]);
  }

  const ThreadOrder* order_;
  size_t thread_;
  uint64_t read_ = 0;
  std::vector<gilscope_segment> buffer_;
  std::span<gilscope_segment> piece_;
  size_t at_ = 0;
  Moment moment_{};
  bool begun_ = false;
};

Status merge(const ThreadOrder& order, const std::function<void(const Moment&)>& visit) {
  std::vector<ThreadMoments> threads;
  for (size_t thread = 0; thread < order.threads(); ++thread) threads.emplace_back(order, thread);
  auto later = [&](size_t a, size_t b) {
    const Moment &one = threads[a].moment(), &other = threads[b].moment();
    return std::tuple(one.ns, one.kind, a) > std::tuple(other.ns, other.kind, b);
  };
  std::priority_queue<size_t, std::vector<size_t>, decltype(later)> queue(later);
  for (size_t thread = 0; thread < threads.size(); ++thread) {
    auto more = threads[thread].next();
    if (!more) return fail(more.error());
    if (*more) queue.push(thread);
  }
  while (!queue.empty()) {
    const size_t thread = queue.top();
    queue.pop();
    visit(threads[thread].moment());
    auto more = threads[thread].next();
    if (!more) return fail(more.error());
    if (*more) queue.push(thread);
  }
  return {};
}

}  // namespace

Status each_moment(const RunTrace& trace, const std::function<void(const Moment&)>& visit) {
  auto order = ThreadOrder::of(trace);
  if (!order) return fail(order.error());
  return merge(*order, visit);
}

void each_moment(std::span<const gilscope_segment> segments,
                 const std::function<void(const Moment&)>& visit) {
  // Cannot fail: the segments are in memory.
  (void)merge(ThreadOrder::of(segments), visit).has_value();
}

}  // namespace gilscope
