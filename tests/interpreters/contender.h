// A program whose threads contend for one lock of glibc's, and count their attempts themselves
// (programs/contend.cpp).
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "userspace/base/fd.h"
#include "userspace/base/result.h"

namespace gilscope {

// Counts of the program's own, since it started.
struct OwnCounts {
  uint64_t locks = 0;
  uint64_t failed = 0;     // found it taken by trying
  uint64_t slept = 0;      // of these: slept in the call that followed
  uint64_t lost = 0;       // further sleeps in those calls
  uint64_t preempted = 0;  // switched out while it could run, with the lock
};

class Contender {
 public:
  // The arguments are pairs: {"sort", "adaptive", "threads", "4"}. Its gate is closed.
  static Result<Contender> start(const std::vector<std::string>& arguments);
  Contender(Contender&& other) noexcept;
  Contender(const Contender&) = delete;
  ~Contender();

  // Where the program is, beside the program under test.
  static std::string path();

  pid_t pid() const { return pid_; }
  const std::string& address() const { return address_; }  // of the lock, "0x55..."
  Status say(const std::string& word) const;
  // Closes the gate.
  Result<OwnCounts> stop();

 private:
  Contender(pid_t pid, Fd in, Fd out);
  Result<std::string> line();

  pid_t pid_;  // -1: moved away
  Fd in_, out_;
  std::string address_;
};

}  // namespace gilscope
