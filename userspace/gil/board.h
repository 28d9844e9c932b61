// A thread's slot on the board, and the only ways to write it. Only its own thread writes the slot,
// with plain stores of a few nanoseconds. The kernel side reads it when the thread is switched out,
// on the same CPU, and so sees every store that came before.
//
// The USDT probes (provider gilscope) are one-byte nops, for other tracers.
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

  // The wait is over, and the thread does not want the GIL for now.
  void outside() { store(slot_->state, static_cast<__u32>(GILSCOPE_OUTSIDE)); }

  void acquired() {
    add(slot_->acquires);
    store(slot_->state, static_cast<__u32>(GILSCOPE_HOLDING));
    DTRACE_PROBE(gilscope, acquired);
  }

  // Called before the GIL is given up: the thread no longer needs it.
  void released() {
    add(slot_->releases);
    outside();
    DTRACE_PROBE(gilscope, released);
  }

  // The three kinds of failed acquisition (docs/metrics.md): each attempt found the GIL taken, and
  // a wait follows.
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
