// Threads under a GIL, without a harness: each has its own slot, one disturbance limit releases
// them all, and a slot can be read while its thread is running.
#pragma once

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "tests/unit/sanitizers.h"
#include "userspace/experiment/run/start_barrier.h"
#include "userspace/gil/gil.h"
#include "userspace/gil/policies.h"

namespace gilscope {

// A thread as policies know it, with its slot on a board of one.
struct UnderGil {
  gilscope_slot GILSCOPE_ALIGNED slot = {};
  GilThread thread{slot};

  // Reads a field as another thread may at any time.
  template <typename T>
  static T seen(T& field) {
    return std::atomic_ref<T>(field).load(std::memory_order_relaxed);
  }
  uint32_t state() { return seen(slot.state); }
  uint64_t failed() { return seen(slot.contended) + seen(slot.woken_lost) + seen(slot.timed_out); }
  // Waits until the thread has found the GIL taken and sleeps or is about to, or has acquired it
  // after all.
  void await_waiting() {
    while ((state() != GILSCOPE_WAITING || failed() == 0) && seen(slot.acquires) == 0) {
      std::this_thread::yield();
    }
  }
};

using Crew = std::vector<std::unique_ptr<UnderGil>>;

// Runs body(member) in `count` threads at once, and returns the members for inspection.
template <typename Body>
Crew run_together(int count, Body body) {
  Crew crew;
  StartBarrier barrier;
  std::vector<std::thread> threads;
  for (int i = 0; i < count; ++i) {
    crew.push_back(std::make_unique<UnderGil>());
    threads.emplace_back([&body, &barrier, member = crew.back().get()] {
      barrier.wait();
      body(*member);
    });
  }
  barrier.open();
  for (std::thread& thread : threads) thread.join();
  return crew;
}

}  // namespace gilscope
