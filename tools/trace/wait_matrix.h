// The waits for a lock that one thread owns at a time: nanoseconds by waiter and how it
// spent them, by owner and how that one spent them. docs/metrics.md, "From the segments", defines
// each term.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace gilscope {

// How a thread spent time for which it waited.
enum class WaiterWas : uint8_t {
  asleep,    // for the lock
  runnable,  // woken or preempted, without a CPU
  running,   // and finding the lock taken
};
inline constexpr size_t kWaiterWays = 3;

// How the owner spent it.
enum class OwnerWas : uint8_t {
  running,
  preempted,  // able to run, without a CPU
  asleep,
};
inline constexpr size_t kOwnerWays = 3;

struct WaitTime {
  uint64_t ns = 0;
  // Part of it in which the thread may not have been the owner, or the waiter no longer waiting:
  // segments bound it, and do not tell it.
  uint64_t bounded_ns = 0;

  uint64_t exact_ns() const { return ns - bounded_ns; }
  void add(uint64_t more_ns, bool bounded) {
    ns += more_ns;
    if (bounded) bounded_ns += more_ns;
  }
  WaitTime& operator+=(const WaitTime& other);
  bool operator==(const WaitTime&) const = default;
};

// The waits of one thread while another owned the lock.
struct PairWaits {
  std::array<std::array<WaitTime, kOwnerWays>, kWaiterWays> times{};  // [WaiterWas][OwnerWas]

  WaitTime& at(WaiterWas waiter, OwnerWas owner) {
    return times[static_cast<size_t>(waiter)][static_cast<size_t>(owner)];
  }
  const WaitTime& at(WaiterWas waiter, OwnerWas owner) const {
    return times[static_cast<size_t>(waiter)][static_cast<size_t>(owner)];
  }
  WaitTime of(WaiterWas waiter) const;
  WaitTime of(OwnerWas owner) const;
  WaitTime total() const;
  PairWaits& operator+=(const PairWaits& other);
  bool operator==(const PairWaits&) const = default;
};

// Times count once for each thread that waited: while two wait for a second, they wait two.
class WaitMatrix {
 public:
  // A row names so many owners; those that made its thread wait least share one place. Memory is
  // bounded by the number of threads, therefore, and not by its square.
  static constexpr size_t kOwners = 64;

  struct Pair {
    uint32_t owner;  // slot
    PairWaits waits;
    bool operator==(const Pair&) const = default;
  };
  struct Row {
    std::vector<Pair> pairs;  // in the order of owners
    PairWaits others;         // owners that found no place above; empty for up to kOwners of them
    // No owner was seen: who was to get it was not running yet, or its holder has not been off its
    // CPU since the window opened.
    std::array<uint64_t, kWaiterWays> nobody_ns{};

    uint64_t nobody() const;
    uint64_t waited_ns() const;
    bool operator==(const Row&) const = default;
  };
  // A pair of threads, and what the one waited for the other.
  struct Worst {
    uint32_t waiter, owner;
    PairWaits waits;
  };

  const std::vector<Row>& rows() const { return rows_; }  // by slot of the waiter
  size_t threads() const { return rows_.size(); }
  bool empty() const { return rows_.empty(); }  // the lock has no single owner
  void resize(size_t threads);

  // Sums.
  uint64_t waited_ns(size_t waiter) const { return rows_[waiter].waited_ns(); }
  uint64_t waited_ns() const;
  uint64_t nobody_ns() const;
  PairWaits waiter(size_t slot) const;    // of all its owners
  std::vector<PairWaits> owners() const;  // by slot: of all their waiters
  PairWaits total() const;                // while an owner was seen
  // Pairs that have waited, the longest first.
  std::vector<Worst> pairs() const;
  std::optional<Worst> worst() const;  // empty: nobody waited while an owner was seen
  // The sum of the rows' `others`.
  uint64_t others_ns() const;

  WaitMatrix& operator+=(const WaitMatrix& other);
  bool operator==(const WaitMatrix&) const = default;

  // The place of a pair; valid until the next call. Makes room for a new one.
  PairWaits& place(uint32_t waiter, uint32_t owner);
  std::array<uint64_t, kWaiterWays>& nobody(uint32_t waiter) { return rows_[waiter].nobody_ns; }

 private:
  void drop_least(Row& row);

  std::vector<Row> rows_;
  std::vector<PairWaits> owners_others_;  // by slot of the owner: the same as the rows' `others`
};

}  // namespace gilscope
