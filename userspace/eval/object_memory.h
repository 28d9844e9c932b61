// The memory of the eval loop's objects: blocks of a few sizes, each size on a free list, as
// CPython 2.7 keeps its integers (Objects/intobject.c), frames and lists on lists of their own.
// Otherwise the C library's allocator would be measured with the loop: where no arena can be
// reserved (ulimit -v), it asks the kernel several times for each object.
//
// Each thread has lists of its own, under every policy, as it has a cache in the C library. A block
// goes onto the list of the thread that gives it back, whichever thread took it. Nothing returns to
// the kernel: a new thread takes over the memory that an ended one has left.
#pragma once

#include <sanitizer/asan_interface.h>

#include <bit>
#include <cstddef>

namespace gilscope {

// As in operator new: calls the new-handler if there is one, and throws std::bad_alloc if not.
void out_of_memory();

namespace object_memory {

struct FreeBlock {
  FreeBlock* next;
};

inline constexpr int kSmallest = 5;  // blocks of 2^5 bytes, 2^6 ...
inline constexpr int kSizes = 48;

// The calling thread's lists.
extern constinit thread_local FreeBlock* lists[kSizes];

// The index of the smallest size that holds so many bytes.
constexpr int size_index(size_t bytes) {
  const int bits = bytes <= 1 ? 0 : std::bit_width(bytes - 1);
  return bits < kSmallest ? 0 : bits - kSmallest;
}
constexpr size_t block_bytes(int index) {
  return size_t{1} << (index + kSmallest);
}

void* new_block(int index);

// The number of blocks that the calling thread has taken and not given back. Walks the lists.
size_t blocks_in_use();

}  // namespace object_memory

inline void* take_block(size_t bytes) {
  using namespace object_memory;
  const int index = size_index(bytes);
  FreeBlock* const block = lists[index];
  if (block == nullptr) [[unlikely]]
    return new_block(index);
  ASAN_UNPOISON_MEMORY_REGION(block, block_bytes(index));
  lists[index] = block->next;
  return block;
}

// `bytes` is the size that take_block was asked for.
inline void give_block(void* memory, size_t bytes) {
  using namespace object_memory;
  const int index = size_index(bytes);
  auto* const block = static_cast<FreeBlock*>(memory);
  block->next = lists[index];
  lists[index] = block;
  ASAN_POISON_MEMORY_REGION(block, block_bytes(index));
}

// For the standard containers.
template <typename T>
struct ObjectAllocator {
  using value_type = T;

  ObjectAllocator() = default;
  template <typename U>
  ObjectAllocator(const ObjectAllocator<U>&) {}

  T* allocate(size_t count) { return static_cast<T*>(take_block(count * sizeof(T))); }
  void deallocate(T* block, size_t count) { give_block(block, count * sizeof(T)); }

  bool operator==(const ObjectAllocator&) const = default;
};

}  // namespace gilscope
