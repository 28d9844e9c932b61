#include "userspace/gil/fifo.h"

#include <mutex>

#include "userspace/gil/futex.h"
#include "userspace/gil/wait_queue.h"

namespace gilscope {
namespace {

struct Ticket : PolicyState, QueueNode<Ticket> {
  // 1 once its thread is the owner; the word that the thread sleeps on.
  std::atomic<uint32_t> served{0};
  static_assert(sizeof(served) == sizeof(uint32_t));

  uint32_t* address() { return reinterpret_cast<uint32_t*>(&served); }
};

class Fifo : public Gil {
 public:
  explicit Fifo(const FifoOptions& options) : options_(options) {}

  void acquire(GilThread& thread) override {
    Ticket& ticket = state_of<Ticket>(thread);
    thread.board.waiting();  // the mutex itself may block
    if (!take_or_queue(ticket)) {
      thread.board.contended();
      while (ticket.served.load(std::memory_order_acquire) == 0) {
        futex(ticket.address(), FUTEX_WAIT_BITSET, 0);
      }
    }
    thread.board.acquired();
  }

  void release(GilThread& thread) override {
    thread.board.released();
    Ticket* next = hand_over();
    if (!next) return;
    // Once it is served its thread may run on, and be gone before the wake: waking an address that
    // nobody waits on any more does nothing.
    uint32_t* address = next->address();
    next->served.store(1, std::memory_order_release);
    futex(address, FUTEX_WAKE, 1);
  }

  void checkpoint(GilThread& thread) override {
    ticker_.store(options_.interval, std::memory_order_relaxed);
    release(thread);
    acquire(thread);
  }

  Checks checks() const override { return Checks::counted_opcodes; }
  std::atomic<int32_t>& breaker(GilThread&) override { return ticker_; }

 private:
  bool take_or_queue(Ticket& ticket) {
    std::lock_guard lock(mutex_);
    if (!owned_) return owned_ = true;
    ticket.served.store(0, std::memory_order_relaxed);
    queue_.push_back(ticket);
    return false;
  }

  // It stays owned where somebody waits: by the one who is returned.
  Ticket* hand_over() {
    std::lock_guard lock(mutex_);
    Ticket* next = queue_.pop_front();
    owned_ = next != nullptr;
    return next;
  }

  const FifoOptions options_;
  std::mutex mutex_;
  bool owned_ = false;
  WaitQueue<Ticket> queue_;
  std::atomic<int32_t> ticker_{0};  // one for all threads, as check-interval's
};

}  // namespace

std::unique_ptr<Gil> make_fifo(const FifoOptions& options) {
  return std::make_unique<Fifo>(options);
}

}  // namespace gilscope
