// A thread's slot on the board, and the only ways to write it. The slot is written by its own
// thread alone, with plain stores of a few nanoseconds; the kernel side reads it when the thread is
// switched out, on the same core, and so sees every store that came before.
//
// The USDT probes (provider gilscope) are one-byte nops for other people's tools.
#pragma once

#include <sys/sdt.h>

#include <atomic>

#include "bpf/contract.h"

namespace gilscope {

class BoardSlot {
 public:
  explicit BoardSlot(gilscope_slot& slot) : slot_(&slot) {}

  // About to wait for the GIL, or to let another thread take it.
  void waiting() { store(slot_->state, static_cast<__u32>(GILSCOPE_WAITING)); }

  // The wait is over, and the GIL is not wanted for now.
  void outside() { store(slot_->state, static_cast<__u32>(GILSCOPE_OUTSIDE)); }

  void acquired() {
    add(slot_->acquires);
    store(slot_->state, static_cast<__u32>(GILSCOPE_HOLDING));
    DTRACE_PROBE(gilscope, acquired);
  }

  // Before the GIL is given up: from here on the thread needs it no longer.
  void released() {
    add(slot_->releases);
    outside();
    DTRACE_PROBE(gilscope, released);
  }

  // The three kinds of failed acquisition (docs/metrics.md). Each is an attempt that found the GIL
  // taken and is followed by a wait.
  void contended() { failed(slot_->contended, 0); }
  void woken_lost() { failed(slot_->woken_lost, 1); }
  void timed_out() { failed(slot_->timed_out, 2); }

  void drop_requested() {
    add(slot_->drop_requests);
    DTRACE_PROBE(gilscope, drop_request);
  }

 private:
  // Out of line, so that the probe has one address.
  void failed(__u64& counter, int kind);

  // Relaxed atomics are plain stores that the compiler may neither drop nor merge.
  template <typename T>
  static void store(T& field, T value) {
    std::atomic_ref<T>(field).store(value, std::memory_order_relaxed);
  }
  static void add(__u64& counter) { store(counter, counter + 1); }

  gilscope_slot* slot_;
};

}  // namespace gilscope
