#include "userspace/gil/semaphore.h"

#include <bit>

#include "userspace/gil/futex.h"

namespace gilscope {

namespace {
constexpr uint64_t kOneWaiter = uint64_t{1} << 32;
}  // namespace

// The kernel waits on the value's half of the word.
uint32_t* Semaphore::value_address() {
  auto* halves = reinterpret_cast<uint32_t*>(&word_);
  return halves + (std::endian::native == std::endian::big ? 1 : 0);
}

// One try, as sem_wait's: a lost race counts as no value.
bool Semaphore::try_fast() {
  uint64_t word = word_.load(std::memory_order_relaxed);
  return (word & kValueMask) != 0 &&
         word_.compare_exchange_weak(word, word - 1, std::memory_order_acquire,
                                     std::memory_order_relaxed);
}

void Semaphore::wait(BoardSlot& board) {
  if (try_fast()) return;
  board.waiting();
  uint64_t word = word_.fetch_add(kOneWaiter, std::memory_order_relaxed) + kOneWaiter;
  bool woken = false;
  for (;;) {
    if ((word & kValueMask) == 0) {
      woken ? board.woken_lost() : board.contended();
      // The kernel refuses (EAGAIN) if a post came between our look and its own: then the thread
      // did not sleep and was not woken.
      woken = futex(value_address(), FUTEX_WAIT_BITSET, 0) == 0;
      word = word_.load(std::memory_order_relaxed);
    } else if (word_.compare_exchange_weak(word, word - 1 - kOneWaiter, std::memory_order_acquire,
                                           std::memory_order_relaxed)) {
      return;
    }
  }
}

void Semaphore::post() {
  // sem_post checks for overflow with a loop of compare-and-swap; a GIL never exceeds 1.
  uint64_t before = word_.fetch_add(1, std::memory_order_release);
  if (before >> kWaitersShift) futex(value_address(), FUTEX_WAKE, 1);
}

}  // namespace gilscope
