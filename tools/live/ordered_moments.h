// Puts the moments of segments in the order of time while the segments come in, each at its end:
// its earlier moments wait until nothing before them is still to come.
#pragma once

#include <cstdint>
#include <functional>
#include <queue>
#include <span>
#include <tuple>
#include <vector>

#include "tools/trace/moments.h"

namespace gilscope {

class OrderedMoments {
 public:
  using Visit = std::function<void(const Moment&)>;

  // In the order of their ends; `thread` is a small number of the caller's.
  void add(std::span<const gilscope_segment> segments);
  // A number that a thread had is another's from here on.
  void forget(uint32_t thread);
  // Passes on the moments up to this time: nothing is still to come that was before it.
  void until(uint64_t ns, const Visit& visit);

  // Whether all that came of a thread has been passed on.
  bool passed_all_of(uint32_t thread) const {
    return thread >= threads_.size() || threads_[thread].end_ns <= passed_ns_;
  }
  uint64_t passed_ns() const { return passed_ns_; }
  size_t kept() const { return segments_.size() - free_.size(); }
  // Segments that came after until() had passed their beginning.
  uint64_t late() const { return late_; }

 private:
  struct Entry {
    uint64_t ns;
    Moment::Kind kind;
    uint32_t place;
    uint64_t order;
  };
  struct Later {
    bool operator()(const Entry& a, const Entry& b) const {
      return std::tuple(a.ns, a.kind, a.order) > std::tuple(b.ns, b.kind, b.order);
    }
  };
  struct OfThread {
    uint8_t gil_state = GILSCOPE_OUTSIDE;
    uint64_t end_ns = 0;  // of its last segment
  };

  void push(uint32_t place);

  std::vector<Moment> segments_;  // by place: the next moment of each segment that is kept
  std::vector<uint64_t> orders_;
  std::vector<uint32_t> free_;
  std::priority_queue<Entry, std::vector<Entry>, Later> queue_;
  std::vector<OfThread> threads_;
  uint64_t passed_ns_ = 0, order_ = 0, late_ = 0;
};

}  // namespace gilscope
