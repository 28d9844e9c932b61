#include "userspace/gil/sharded.h"

#include "userspace/descriptor/policy.h"

namespace gilscope {
namespace {

constexpr int32_t kInterval = 100;  // counted opcodes, as check-interval's default

struct Path : PolicyState {
  uint64_t thread = 0;  // counted from 1; 0: not numbered yet
  uint64_t step = 0;
};

// splitmix64 (Steele, Lea and Flood, 2014): neighbouring numbers land far apart.
uint64_t hash(uint64_t thread, uint64_t step) {
  uint64_t value = (thread << 40) + step + 0x9e3779b97f4a7c15;
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
  value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
  return value ^ (value >> 31);
}

}  // namespace

void Sharded::acquire(GilThread& thread) {
  Path& path = state_of<Path>(thread);
  if (path.thread == 0) path.thread = threads_.fetch_add(1, std::memory_order_relaxed) + 1;
  thread.piece = static_cast<uint32_t>(hash(path.thread, ++path.step) % pieces_.size());
  pieces_[thread.piece].lock.wait(thread.board);
  thread.board.acquired();
}

void Sharded::release(GilThread& thread) {
  thread.board.released();
  pieces_[thread.piece].lock.post();
}

void Sharded::checkpoint(GilThread& thread) {
  thread.eval_breaker.store(kInterval, std::memory_order_relaxed);
  ++pieces_[thread.piece].datum;
  release(thread);
  acquire(thread);
}

std::unique_ptr<Gil> make_sharded(const PolicyArguments& arguments) {
  return std::make_unique<Sharded>(arguments.value);
}

}  // namespace gilscope
