// The name that `--lock` gives a lock which is no interpreter's GIL.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "bpf/subject.h"
#include "userspace/base/result.h"

namespace gilscope {

// "mutex@SYMBOL", "mutex@OBJECT:SYMBOL+OFFSET", "mutex@0x55d0c0ffee00", "mutex:auto".
struct LockName {
  std::string text;  // as it was given
  std::string kind;  // mutex | rwlock | cond
  bool automatic = false;
  std::optional<uint64_t> address;
  std::string object, symbol;  // without an object: in any
  uint64_t offset = 0;

  gilscope_gil_kind gil_kind() const;
  uint64_t bytes() const;    // of glibc's structure
  std::string type() const;  // pthread_mutex_t
};

Result<LockName> parse_lock(std::string_view text);

inline constexpr const char* kLockForms =
    "mutex@SYMBOL, mutex@0xADDRESS or mutex:auto, likewise rwlock@... and cond@...";

}  // namespace gilscope
