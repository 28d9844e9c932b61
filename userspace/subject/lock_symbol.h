// Where a process has the symbol that names a lock.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "userspace/base/result.h"
#include "userspace/subject/lock_name.h"
#include "userspace/subject/mapped_object.h"

namespace gilscope {

struct FoundSymbol {
  std::string object;
  uint64_t address = 0;  // of the lock
};

// Fails with one line: it is not there (and whether an object is stripped), there more than once
// (and how to choose), a function, or too small for such a lock.
Result<FoundSymbol> find_lock_symbol(const ProcessMemory& process, std::span<MappedObject> objects,
                                     const LockName& name);

}  // namespace gilscope
