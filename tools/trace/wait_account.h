// Adds up who made whom wait while moments come in, one by one: of a file's segments, or of a
// program that is still running. Memory grows with the number of threads alone.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "tools/trace/gil_spans.h"
#include "tools/trace/moments.h"
#include "tools/trace/wait_matrix.h"
#include "tools/trace/window.h"

namespace gilscope {

// Whether who gives the cell's lock up wakes one of those that sleep for it. PyPy's look again by
// themselves.
bool release_wakes(const Cell& cell);

class WaitAccount {
 public:
  enum class Being : uint8_t { off, runnable, running };

  // As GilSpans', to whose `reader` all that it derives goes. Time counts within the window only.
  // `release_wakes`: as of release_wakes() below.
  WaitAccount(const std::vector<uint32_t>& tids, bool one_owner, GilSpansReader& reader,
              bool of_subject = false, Window window = {}, bool release_wakes = true);

  // A thread that came later; its slot is the next.
  void add_thread(uint32_t tid);
  // Another thread has taken the place of one that has left, or a thread's tid is known now.
  void set_thread(uint32_t thread, uint32_t tid) { spans_.set_thread(thread, tid); }

  // A moment earlier than the one before it counts as of the same time.
  void visit(const Moment& moment);
  // Time passes without a moment.
  void until(uint64_t ns);
  // Closes what is open at the end of the trace.
  void finish(uint64_t ns);

  // Up to the last moment, or what until() said.
  WaitMatrix so_far();
  // The increase since this was last asked.
  WaitMatrix since_asked();

  const GilSpans& spans() const { return spans_; }
  uint64_t last_ns() const { return last_ns_; }  // 0: no moment yet
  Being being(uint32_t thread) const { return threads_[thread].being; }
  size_t number(Being being) const { return number_[static_cast<size_t>(being)]; }

 private:
  struct OfThread {
    Being being = Being::off;
    bool waiting = false;
    bool stops_within = false;  // its segment does not end waiting, as it began
    uint64_t counted_ns = 0;    // of passed_ns_
  };
  // The owner, as long as all of this stays the same.
  struct Owner {
    std::optional<uint32_t> slot;
    OwnerWas was = OwnerWas::running;
    bool bounded = false;
    bool operator==(const Owner&) const = default;
  };

  void be(uint32_t thread, Being now);
  Owner owner_now() const;
  void count(uint32_t thread);
  void count_all();
  void note_waiting(uint32_t thread);

  GilSpans spans_;
  bool one_owner_, of_subject_, release_wakes_;
  Window window_;
  uint64_t last_ns_ = 0;
  uint64_t passed_ns_ = 0;  // within the window
  std::vector<OfThread> threads_;
  std::vector<uint32_t> waiting_;
  std::array<size_t, 3> number_{};
  Owner owner_;
  WaitMatrix asked_, unasked_;  // what since_asked() has answered, and what came since
};

}  // namespace gilscope
