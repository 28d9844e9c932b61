// A queue of waiters, each linked through a node of its own, so that queueing allocates nothing. It
// has no lock: its owner guards it.
#pragma once

namespace gilscope {

template <typename Waiter>
struct QueueNode {
  Waiter* before = nullptr;
  Waiter* behind = nullptr;
};

// Waiter derives from QueueNode<Waiter> and is in at most one queue.
template <typename Waiter>
class WaitQueue {
 public:
  bool empty() const { return !front_; }
  Waiter* front() const { return front_; }
  Waiter* back() const { return back_; }

  void push_back(Waiter& waiter) { insert_behind(back_, waiter); }

  // Behind `place`, or at the front where that is null.
  void insert_behind(Waiter* place, Waiter& waiter) {
    waiter.before = place;
    waiter.behind = place ? place->behind : front_;
    (waiter.before ? waiter.before->behind : front_) = &waiter;
    (waiter.behind ? waiter.behind->before : back_) = &waiter;
  }

  void remove(Waiter& waiter) {
    (waiter.before ? waiter.before->behind : front_) = waiter.behind;
    (waiter.behind ? waiter.behind->before : back_) = waiter.before;
  }

  Waiter* pop_front() {
    Waiter* first = front_;
    if (first) remove(*first);
    return first;
  }

 private:
  Waiter* front_ = nullptr;
  Waiter* back_ = nullptr;
};

}  // namespace gilscope
