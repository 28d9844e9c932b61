// The C library of a process: its condition variables are what threads wait on for a GIL.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "bpf/subject.h"
#include "userspace/base/result.h"
#include "userspace/subject/mapped_object.h"
#include "userspace/subject/process_memory.h"

namespace gilscope {

struct Glibc {
  int major = 0, minor = 0;
  // Those of today came in 2.25.
  bool has_known_conditions() const { return major > 2 || (major == 2 && minor >= 25); }
  // Of __g_signals in pthread_cond_t, on which waiters sleep: since 2.41 the structure is without
  // __g_refs.
  uint32_t signals_at() const { return major > 2 || minor >= 41 ? 32 : 40; }
};

// From glibc's banner, "GNU C Library (...) stable release version 2.36."
std::optional<Glibc> parse_glibc_banner(std::string_view text);

// Fails, by its name, for a C library whose waits cannot be followed: musl, or a glibc before 2.25,
// which had other condition variables.
Result<Glibc> glibc_of(const ProcessMemory& process, std::span<const MappedObject> objects);

// Whether bytes of the process can be an initialized pthread_cond_t or pthread_mutex_t that threads
// of one process share, of the default kind. Zeros can.
bool can_be_condition(std::span<const uint8_t, GILSCOPE_CONDITION_BYTES> bytes, const Glibc& glibc);
bool can_be_mutex(std::span<const uint8_t, GILSCOPE_MUTEX_BYTES> bytes);

}  // namespace gilscope
