#include "userspace/subject/thread_block.h"

#include <algorithm>
#include <cstring>
#include <vector>

namespace gilscope {
namespace {

// nptl/descr.h: struct pthread begins with tcbhead_t {tcb, dtv, self, ...} of 704 bytes, a list
// node of 16 bytes follows, and then the tid. So since 2.4 on x86-64.
constexpr uint64_t kTidAt = 720;
constexpr uint64_t kAlignment = 64;
constexpr uint64_t kLowest = 1 << 16;  // vm.mmap_min_addr

}  // namespace

const ProcessThread* thread_of(const Memory& memory, std::span<const ProcessThread> threads,
                               uint64_t self) {
  if (self < kLowest || self % kAlignment != 0) return nullptr;
  uint64_t head[3];
  if (!memory.read(self, head, sizeof head) || head[0] != self || head[2] != self) return nullptr;
  const auto tid = memory.get<int32_t>(self + kTidAt);
  if (!tid) return nullptr;
  const auto thread = std::ranges::find(threads, *tid, &ProcessThread::tid_inside);
  return thread == threads.end() ? nullptr : &*thread;
}

std::optional<FoundThread> find_thread_id(const Memory& memory,
                                          std::span<const ProcessThread> threads, uint64_t address,
                                          size_t bytes) {
  if (address < kLowest || address % 8 != 0) return std::nullopt;
  std::vector<uint64_t> words(bytes / 8);
  // A structure at the end of what is mapped is shorter.
  while (!words.empty() && !memory.read(address, words.data(), words.size() * 8)) {
    words.resize(words.size() / 2);
  }
  for (size_t i = 0; i < words.size(); ++i) {
    if (const ProcessThread* thread = thread_of(memory, threads, words[i])) {
      return FoundThread{static_cast<uint16_t>(i * 8), thread};
    }
  }
  return std::nullopt;
}

}  // namespace gilscope
