// The GIL of CPython from 3.2 on: an interval, the last holder, whether it is locked, how often it
// changed hands, and glibc's condition variables and mutexes. Since 3.7 these are one structure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "userspace/subject/look.h"

namespace gilscope {

// struct _gil_runtime_state, from its `interval` on; the same in 3.7 to 3.15.
struct GilLayout {
  static constexpr uint16_t interval = 0, holder = 8, locked = 16, number = 24, condition = 32,
                            mutex = 80, switch_condition = 120, switch_mutex = 168, bytes = 208;
};

// How sure one may be that a GIL is there.
enum class Likeness {
  none,      // it cannot be one
  possible,  // nothing speaks against it, but who holds it is not known to be a thread
  certain,   // the holder is a thread of the process
};

struct SeenGil {
  Likeness likeness = Likeness::none;
  uint64_t interval_us = 0;
  int32_t locked = 0;
  uint64_t holder = 0;                    // the last holder's thread state
  std::optional<uint16_t> thread_id_at;   // in there
  const ProcessThread* thread = nullptr;  // the last holder
};

// Judges the bytes at `address`, of which there are at least GilLayout::bytes. The interval may be
// any that CPython can be given.
SeenGil judge_gil(const Memory& memory, std::span<const ProcessThread> threads, const Glibc& glibc,
                  std::span<const uint8_t> bytes);

// The same for a process, looked at for some time if nobody is seen to hold it at first.
inline constexpr int kLooksAtGil = 100;  // in a fifth of a second
SeenGil look_at_gil(Look& look, uint64_t address, int looks = kLooksAtGil);

// Where thread_id lies in a thread state of that version, for a GIL whose holder is not seen.
std::optional<uint16_t> known_thread_id_at(const LanguageVersion& version);

// Of CPython, unless sys.setswitchinterval() changed it.
inline constexpr uint64_t kDefaultIntervalUs = 5000;

// The place of a GIL with that structure at `address`.
GilPlace place_of(const Look& look, const LanguageVersion& version, uint64_t address,
                  const SeenGil& seen);

// "interval 5000 us, holder is thread 1234 ('python3')", as far as it is so.
std::string what_agrees(const SeenGil& seen);

}  // namespace gilscope
