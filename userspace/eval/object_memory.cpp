#include "userspace/eval/object_memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <mutex>
#include <new>

namespace gilscope {

void out_of_memory() {
  const std::new_handler handler = std::get_new_handler();
  if (handler == nullptr) throw std::bad_alloc();
  handler();
}

namespace object_memory {

constinit thread_local FreeBlock* lists[kSizes] = {};

namespace {

constexpr size_t kChunkBytes = 64 << 10;

// A thread's state beside its lists, at the beginning of its first chunk. When the thread ends it
// holds everything that the thread leaves behind.
struct Home {
  FreeBlock* lists[kSizes];
  char* untouched;  // the rest of the newest chunk
  char* end;
  size_t blocks;  // ever cut out
  Home* next;     // of a thread that has ended
};

// Never destroyed: threads may outlive static destruction.
struct Ended {
  std::mutex mutex;
  Home* first = nullptr;
};
Ended& ended() {
  static Ended* instance = new Ended;
  return *instance;
}

char* map_chunk(size_t bytes) {
  for (;;) {
    void* const chunk =
        ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (chunk != MAP_FAILED) return static_cast<char*>(chunk);
    out_of_memory();
  }
}

struct Resident {
  Home* home = nullptr;

  ~Resident() {
    if (home == nullptr) return;
    std::ranges::copy(lists, home->lists);
    std::ranges::fill(lists, nullptr);
    const std::lock_guard lock(ended().mutex);
    home->next = ended().first;
    ended().first = home;
  }

  void move_in() {
    {
      const std::lock_guard lock(ended().mutex);
      home = ended().first;
      if (home != nullptr) ended().first = home->next;
    }
    if (home != nullptr) {
      // The thread may have given blocks back before it first took one.
      for (int i = 0; i < kSizes; ++i) append(home->lists[i], i);
      return;
    }
    char* const chunk = map_chunk(kChunkBytes);
    constexpr size_t kOwn = (sizeof(Home) + block_bytes(0) - 1) / block_bytes(0) * block_bytes(0);
    home = new (chunk) Home{.lists = {},
                            .untouched = chunk + kOwn,
                            .end = chunk + kChunkBytes,
                            .blocks = 0,
                            .next = nullptr};
  }

 private:
  static void append(FreeBlock* list, int index) {
    while (list != nullptr) {
      ASAN_UNPOISON_MEMORY_REGION(list, sizeof(FreeBlock));
      FreeBlock* const next = list->next;
      list->next = lists[index];
      lists[index] = list;
      ASAN_POISON_MEMORY_REGION(list, sizeof(FreeBlock));
      list = next;
    }
  }
};

thread_local Resident resident;

}  // namespace

void* new_block(int index) {
  if (resident.home == nullptr) {
    resident.move_in();
    if (lists[index] != nullptr) return take_block(block_bytes(index));
  }
  Home& home = *resident.home;
  const size_t bytes = block_bytes(index);
  ++home.blocks;
  // A large block is a mapping of its own.
  if (bytes > kChunkBytes / 4) return map_chunk(bytes);
  if (static_cast<size_t>(home.end - home.untouched) < bytes) {
    home.untouched = map_chunk(kChunkBytes);
    home.end = home.untouched + kChunkBytes;
  }
  void* const block = home.untouched;
  home.untouched += bytes;
  return block;
}

size_t blocks_in_use() {
  size_t free = 0;
  for (FreeBlock* block : lists) {
    for (; block != nullptr; ++free) {
      ASAN_UNPOISON_MEMORY_REGION(block, sizeof(FreeBlock));
      FreeBlock* const next = block->next;
      ASAN_POISON_MEMORY_REGION(block, sizeof(FreeBlock));
      block = next;
    }
  }
  return (resident.home == nullptr ? 0 : resident.home->blocks) - free;
}

}  // namespace object_memory
}  // namespace gilscope
