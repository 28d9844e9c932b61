// Who held the GIL and who waited for it, as far as segments tell. docs/metrics.md, "From the
// segments", defines each term.
//
// A thread's slot is read when it is switched out, so its state is known between segments exactly
// and within one to the segment: a thread that acquired in a segment is taken to hold from the
// segment's beginning, one that no longer holds at its end, to the end. Where that gives the GIL to
// two threads at once, the one that took it last is the owner, and the time is counted as
// overlapping.
#pragma once

#include <optional>
#include <vector>

#include "tools/trace/moments.h"
#include "userspace/descriptor/policy.h"  // has_one_owner

namespace gilscope {

// One thread's stretch of holding the GIL, or of waiting for it.
struct GilSpan {
  enum class Kind : uint8_t { holding, waiting };
  Kind kind;
  uint32_t thread;
  uint64_t from_ns, to_ns;
};

// The GIL went from one thread to another.
struct Handoff {
  uint32_t from, to;
  // When `from` gave it up: the waking of `to`, where it was `from` that woke it from its wait for
  // the GIL. Empty: `to` found it free, and the release lies somewhere within a segment of `from`.
  std::optional<uint64_t> release_ns;
  uint64_t acquire_ns;
  uint32_t waiters;  // threads that waited for the GIL just before, `to` included if it did

  std::optional<uint64_t> latency_ns() const {
    if (!release_ns) return std::nullopt;
    return acquire_ns - *release_ns;
  }
};

struct OwnerSpan {
  uint32_t thread;
  uint64_t from_ns, to_ns;
};

// What GilSpans has to say, as it becomes known: each call's times are not before those of the last
// call of the same kind by more than a span's length.
class GilSpansReader {
 public:
  virtual ~GilSpansReader() = default;
  virtual void span(const GilSpan&) {}
  virtual void owner(const OwnerSpan&) {}
  virtual void handoff(const Handoff&) {}
};

class GilSpans {
 public:
  // `tids` by slot, the kernel's: who woke a thread is told by its tid.
  GilSpans(std::vector<uint32_t> tids, bool one_owner, GilSpansReader& reader);

  void see(const Moment& moment);
  // The trace ends here: closes what is open.
  void finish(uint64_t ns);

  std::optional<uint32_t> owner() const { return owner_; }
  size_t holders() const { return holders_.size(); }
  size_t waiters() const { return waiters_; }

 private:
  struct OfThread {
    uint32_t tid = 0;
    bool holding = false, waiting = false;
    uint64_t since_ns = 0;  // of either
  };

  void take(uint32_t thread, const Moment& moment);
  void let_go(uint32_t thread, uint64_t ns);
  void stop_waiting(uint32_t thread, uint64_t ns);
  void change_owner(std::optional<uint32_t> to, uint64_t ns);

  std::vector<OfThread> threads_;
  bool one_owner_;
  GilSpansReader& reader_;
  std::vector<uint32_t> holders_;  // in the order in which they took it
  size_t waiters_ = 0;
  std::optional<uint32_t> owner_, last_owner_;
  uint64_t owner_since_ns_ = 0;
};

}  // namespace gilscope
