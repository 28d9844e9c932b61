// Watches an interpreter and its GIL by other means than gilscope's: the futex system calls
// with their results, and probes on its calls into glibc. Probes cost a trap each, so a process
// that is observed so is slower; it is held against a report of the same seconds.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "bpf/subject.h"
#include "tests/interpreters/witness.bpf.h"
#include "userspace/base/result.h"

namespace gilscope::witness {

class GilWitness {
 public:
  // Observes the process from now on.
  static Result<GilWitness> attach(pid_t pid, const gilscope_gil& gil);
  GilWitness(GilWitness&&) noexcept;
  ~GilWitness();

  // Ends it: what it saw, each thread's events in their order.
  std::vector<witness_event> end();
  // Events that it had no room for: there must be none.
  uint64_t lost() const;
  // Whether take_gil has a symbol, and was probed.
  bool sees_take_gil() const;

 private:
  struct State;
  explicit GilWitness(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

struct Kinds {
  uint64_t contended = 0, woken_lost = 0, timed_out = 0;
  uint64_t sum() const { return contended + woken_lost + timed_out; }
};

// Events added up, of those between two times.
struct Seen {
  // System calls that wait on the GIL's condition, or on 2.7's semaphore.
  uint64_t calls = 0;
  uint64_t sleeps = 0;  // switched out asleep in one of them
  // Calls that never slept, by what stopped them: the value had changed (EAGAIN), the deadline had
  // passed, a signal, or a waker that came before the switch.
  uint64_t changed = 0, late = 0, interrupted = 0, overtaken = 0;
  uint64_t unslept_calls() const { return changed + late + interrupted + overtaken; }

  uint64_t waits = 0;              // calls of pthread_cond_timedwait
  uint64_t waits_begun_again = 0;  // sleeps beyond the first of one call
  Kinds kinds;                     // of those calls; 2.7: of the system calls
  Kinds by_take_gil;               // the same with take_gil's entry as the beginning
  Kinds kinds_slept;               // of those that slept
  uint64_t mutex_sleeps = 0, switch_sleeps = 0;
  uint64_t release_stalls = 0;  // sleeps in the condition's own words
  uint64_t holder_preempted = 0;
};

Seen add_up(const std::vector<witness_event>& events, const gilscope_gil& gil, uint64_t from_ns,
            uint64_t to_ns);

}  // namespace gilscope::witness
