// CPython's _Py_DebugOffsets, which 3.13 and later have at the beginning of _PyRuntime: where
// tools from outside find what in its structures.
#pragma once

#include <cstdint>
#include <optional>

#include "userspace/subject/memory.h"

namespace gilscope {

struct DebugOffsets {
  int major = 0, minor = 0, micro = 0;
  bool free_threaded = false;      // a build without a GIL, or with one that is off
  uint64_t interpreters_head = 0;  // in _PyRuntime
  // In an interpreter's state.
  uint64_t interpreter_bytes = 0, id = 0, next = 0, threads_head = 0;
  uint64_t ceval_gil = 0;  // points to the GIL that the interpreter uses
  // In the GIL that lies in an interpreter's state.
  uint64_t gil_enabled = 0, gil_holder = 0;
};

// Empty: there are none of a version that is known, 3.13 to 3.15, or they contradict themselves.
std::optional<DebugOffsets> read_debug_offsets(const Memory& memory, uint64_t runtime);

// The bytes with which they begin.
inline constexpr char kDebugCookie[] = "xdebugpy";

}  // namespace gilscope
