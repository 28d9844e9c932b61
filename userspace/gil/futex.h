// The futex system call, FUTEX_WAIT_BITSET or FUTEX_WAKE, for words private to this process.
#pragma once

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>

namespace gilscope {

inline long futex(uint32_t* address, int operation, uint32_t value) {
  return syscall(SYS_futex, address, operation | FUTEX_PRIVATE_FLAG, value, nullptr, nullptr,
                 FUTEX_BITSET_MATCH_ANY);
}

}  // namespace gilscope
