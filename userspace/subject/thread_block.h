// glibc's control blocks of threads, to which a pthread_t points: from one, which thread it is.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "userspace/subject/memory.h"
#include "userspace/subject/process_memory.h"

namespace gilscope {

// The thread whose pthread_self() is `self`; null: that is no control block of one of `threads`.
const ProcessThread* thread_of(const Memory& memory, std::span<const ProcessThread> threads,
                               uint64_t self);

// Where in the structure at `address` the pthread_self() of one of `threads` stands, and whose.
struct FoundThread {
  uint16_t at = 0;
  const ProcessThread* thread = nullptr;
};
std::optional<FoundThread> find_thread_id(const Memory& memory,
                                          std::span<const ProcessThread> threads, uint64_t address,
                                          size_t bytes = 512);

}  // namespace gilscope
