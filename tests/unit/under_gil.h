// Threads under a GIL, without a harness around them: each with a slot of its own, all released by
// one gate, and a way to see a slot while its thread is at work.
#pragma once

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "tests/unit/sanitizers.h"
#include "userspace/experiment/gate.h"
#include "userspace/gil/gil.h"
#include "userspace/gil/policies.h"

namespace gilscope {

// A thread, as policies know it, with its slot on a board of one.
struct UnderGil {
  gilscope_slot GILSCOPE_ALIGNED slot = {};
  GilThread thread{slot};

  // As another thread may read it at any time.
  template <typename T>
  static T seen(T& field) {
    return std::atomic_ref<T>(field).load(std::memory_order_relaxed);
  }
  uint32_t state() { return seen(slot.state); }
  uint64_t failed() { return seen(slot.contended) + seen(slot.woken_lost) + seen(slot.timed_out); }
  // Until it has found the GIL taken, and sleeps or is about to; or has got it nevertheless.
  void await_waiting() {
    while ((state() != GILSCOPE_WAITING || failed() == 0) && seen(slot.acquires) == 0) {
      std::this_thread::yield();
    }
  }
};

using Crew = std::vector<std::unique_ptr<UnderGil>>;

// Runs body(member) in `count` threads at once, and gives the members back for inspection.
template <typename Body>
Crew run_together(int count, Body body) {
  Crew crew;
  Gate gate;
  std::vector<std::thread> threads;
  for (int i = 0; i < count; ++i) {
    crew.push_back(std::make_unique<UnderGil>());
    threads.emplace_back([&body, &gate, member = crew.back().get()] {
      gate.wait();
      body(*member);
    });
  }
  gate.open();
  for (std::thread& thread : threads) thread.join();
  return crew;
}

}  // namespace gilscope
