// All that the finders of one kind of interpreter look at.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "userspace/subject/glibc.h"
#include "userspace/subject/mapped_object.h"
#include "userspace/subject/process_memory.h"
#include "userspace/subject/subject.h"

namespace gilscope {

struct Look {
  const ProcessMemory& process;
  const MappedObject& object;  // that has the interpreter
  const Glibc& glibc;
  const FindOptions& options;
  std::vector<ProcessThread> threads;  // when the look began

  // Whether the address is in memory that the process can read.
  bool readable(uint64_t address) const { return process.range_at(address) != nullptr; }
};

// "3.11.2", and its numbers.
struct LanguageVersion {
  int major = 0, minor = 0;
  std::string text;

  bool at_least(int other_major, int other_minor) const {
    return major != other_major ? major > other_major : minor >= other_minor;
  }
};

}  // namespace gilscope
