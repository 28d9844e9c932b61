// Judges by its words whether a lock of glibc's stands somewhere, and which.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <span>
#include <string>

#include "userspace/base/result.h"
#include "userspace/subject/glibc.h"
#include "userspace/subject/lock_name.h"

namespace gilscope {

inline constexpr size_t kMostLockBytes = 56;

struct SeenLock {
  std::string sort;  // "a recursive mutex", "a robust mutex shared between processes"
  bool held = false;
  bool shared = false;  // other processes may hold it
  pid_t owner = 0;      // in the process's PID namespace; 0: nobody, or it is not known
  uint32_t named = 0;   // as the owner of a mutex that is free: only for an instant, in one look
};

// Fails with the reason why the bytes are no such lock, or none that can be followed:
// "is a priority-protected mutex, ...".
Result<SeenLock> judge_lock(const LockName& name, std::span<const uint8_t, kMostLockBytes> bytes,
                            const Glibc& glibc);

}  // namespace gilscope
