// fifo:N: a ticket lock that hands over. No interpreter has it; it is here as the opposite of
// check-interval: no attempt of a woken thread ever fails, and each check costs a switch.
//
// A thread that finds the GIL taken takes its place in the one queue, which is its ticket, and
// sleeps on a futex word of its own. The releaser makes the first in the queue the owner and only
// then wakes it, so nobody can come between: nobody barges, and `woken_lost` stays 0.
//
// The holder gives it up as under check-interval, every N+1 counted opcodes on one ticker, so that
// the two policies differ in the hand-over alone: it releases, and then asks again at the back of
// the queue. With nobody waiting that costs two passes over an uncontended mutex.
//
// Ours to choose: a mutex guards the queue, and tickets are drawn in the order in which threads get
// it. A thread holds it for a few instructions, never while waking, and one that had to wait for it
// counts no failure.
#include <mutex>

#include "userspace/descriptor/policy.h"
#include "userspace/gil/futex.h"
#include "userspace/gil/gil.h"
#include "userspace/gil/wait_queue.h"

namespace gilscope {
namespace {

struct Ticket : PolicyState, QueueNode<Ticket> {
  // The word that the thread sleeps on; 1 once the thread is the owner.
  std::atomic<uint32_t> served{0};
  static_assert(sizeof(served) == sizeof(uint32_t));

  uint32_t* address() { return reinterpret_cast<uint32_t*>(&served); }
};

class Fifo : public Gil {
 public:
  explicit Fifo(int32_t interval) : interval_(interval) {}

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
    // Once served, the thread may run on and be gone before the wake, which then does nothing:
    // nobody waits on the address any more.
    uint32_t* address = next->address();
    next->served.store(1, std::memory_order_release);
    futex(address, FUTEX_WAKE, 1);
  }

  void checkpoint(GilThread& thread) override {
    ticker_.store(interval_, std::memory_order_relaxed);
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

  // Returns the new owner, if anybody waits.
  Ticket* hand_over() {
    std::lock_guard lock(mutex_);
    Ticket* next = queue_.pop_front();
    owned_ = next != nullptr;
    return next;
  }

  const int32_t interval_;
  std::mutex mutex_;
  bool owned_ = false;
  WaitQueue<Ticket> queue_;
  std::atomic<int32_t> ticker_{0};  // shared by all threads, as check-interval's
};

}  // namespace

std::unique_ptr<Gil> make_fifo(const PolicyArguments& arguments) {
  return std::make_unique<Fifo>(static_cast<int32_t>(arguments.value));
}

}  // namespace gilscope
