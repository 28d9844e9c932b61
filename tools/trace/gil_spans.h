// Derives from segments who held the GIL and who waited for it. docs/metrics.md, "From the
// segments", defines each term.
//
// A thread's slot is read when it is switched out, so its state is known exactly between segments,
// but only to the segment within one: a thread that acquired in a segment is assumed to hold from
// the segment's beginning, and one that has released by its end to hold until that end. Where this
// gives the GIL to two threads at once, the owner is the one that certainly holds it, since its
// state did not change. Without such a one it is the one that took it last, and the time counts as
// overlapping.
#pragma once

#include <optional>
#include <vector>

#include "tools/trace/moments.h"
#include "userspace/report/model.h"

namespace gilscope {

// Whether at most one thread holds the cell's GIL at a time. Not where it has none, or several.
bool has_one_owner(const Cell& cell);

// A period in which one thread holds the GIL or waits for it.
struct GilSpan {
  enum class Kind : uint8_t { holding, waiting };
  Kind kind;
  uint32_t thread;
  uint64_t from_ns, to_ns;
};

// The GIL went from one thread to another.
struct Handoff {
  uint32_t from, to;
  // When `from` released it: the waking of `to`, if `from` woke it from its wait for the GIL.
  // Empty: `to` found the GIL free, and the release lies somewhere within a segment of `from`.
  std::optional<uint64_t> release_ns;
  uint64_t acquire_ns;
  uint32_t waiters;  // threads waiting for the GIL just before, including `to` if it was

  std::optional<uint64_t> latency_ns() const {
    if (!release_ns) return std::nullopt;
    return acquire_ns - *release_ns;
  }
};

struct OwnerSpan {
  uint32_t thread;
  uint64_t from_ns, to_ns;
};

// Receives what GilSpans derives, as it becomes known. The times of calls of one kind may go back,
// but by no more than a span's length.
class GilSpansReader {
 public:
  virtual ~GilSpansReader() = default;
  virtual void span(const GilSpan&) {}
  virtual void owner(const OwnerSpan&) {}
  virtual void handoff(const Handoff&) {}
};

class GilSpans {
 public:
  // `tids` are the kernel's thread ids by slot; segments identify wakers by them. `of_subject`: the
  // segments are a real program's, whose acquisitions are seen only after a sleep for the GIL.
  GilSpans(std::vector<uint32_t> tids, bool one_owner, GilSpansReader& reader,
           bool of_subject = false);

  // A thread that came later; its slot is the next.
  void add_thread(uint32_t tid);
  // Another thread has taken the place of one that has left, or a thread's tid is known now.
  void set_thread(uint32_t thread, uint32_t tid) { threads_[thread].tid = tid; }

  void visit(const Moment& moment);
  // Closes open spans at the end of the trace.
  void finish(uint64_t ns);

  std::optional<uint32_t> owner() const { return owner_; }
  // The owner's slot says so: it held at both ends of this segment and acquired nothing in it, or
  // it is between two segments.
  bool owner_is_certain() const { return owner_is_certain_; }
  // Which of several holders had it is uncertain.
  bool overlapping() const { return holders_.size() > 1 && !owner_is_certain_; }
  size_t holders() const { return holders_.size(); }
  size_t waiters() const { return waiters_; }
  bool waiting(uint32_t thread) const { return threads_[thread].waiting; }

 private:
  struct OfThread {
    uint32_t tid = 0;
    bool holding = false, waiting = false;
    bool certain = false;   // that it is holding
    uint64_t since_ns = 0;  // when either began
  };

  bool holds(const gilscope_segment& segment) const;
  void take(uint32_t thread, const Moment& moment);
  void stop_holding(uint32_t thread, uint64_t ns);
  void stop_waiting(uint32_t thread, uint64_t ns);
  void choose_owner(uint64_t ns);
  void change_owner(std::optional<uint32_t> to, uint64_t ns);

  std::vector<OfThread> threads_;
  bool one_owner_;
  bool of_subject_;
  GilSpansReader& reader_;
  std::vector<uint32_t> holders_;  // in the order in which they acquired
  size_t waiters_ = 0;
  std::optional<uint32_t> owner_;
  bool owner_is_certain_ = false;
  std::optional<uint32_t> last_holder_;  // of those that began last
  uint64_t owner_since_ns_ = 0;
};

}  // namespace gilscope
