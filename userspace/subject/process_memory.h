// A process to read from: its memory, mappings, threads and files. It is held by its directory
// in /proc, so that a process which gets its number later is never taken for it.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "userspace/base/fd.h"
#include "userspace/base/result.h"
#include "userspace/subject/maps.h"
#include "userspace/subject/memory.h"

namespace gilscope {

// One of the process's threads.
struct ProcessThread {
  pid_t tid = 0;
  pid_t tid_inside = 0;  // in the process's own PID namespace
  std::string name;
};

class ProcessMemory : public Memory {
 public:
  // Fails, with the exit code that the command line promises, for what has no memory to read or
  // must not be looked at: no such process, a thread of another, a kernel thread, a zombie, this
  // process itself, a 32-bit program, one of another user without the right.
  static Result<ProcessMemory> open(pid_t pid);

  bool read(uint64_t address, void* into, size_t bytes) const override;

  pid_t pid() const { return pid_; }
  // As they were at open().
  const std::vector<MappedRange>& maps() const { return maps_; }
  // The readable range that holds the address; null: there is none.
  const MappedRange* range_at(uint64_t address) const;
  // "/usr/bin/python3.11", as the process sees it, without " (deleted)".
  const std::string& executable() const { return executable_; }
  // Empty once the process is gone.
  std::vector<ProcessThread> threads() const;
  bool alive() const;
  // A small file of its directory, as "cmdline"; empty if it cannot be read.
  std::string file(const std::string& name) const;
  int directory() const { return directory_.get(); }

 private:
  ProcessMemory() = default;
  Status read_executable();
  void name_as_seen_inside();

  pid_t pid_ = 0;
  Fd directory_, memory_;
  std::vector<MappedRange> maps_;
  std::string executable_;
};

// "process 1234 ('python3')"
std::string shown_process(pid_t pid, const std::string& name);

}  // namespace gilscope
