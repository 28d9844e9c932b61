// The date as reports write it, and clocks in nanoseconds.
#pragma once

#include <sys/time.h>

#include <cstdint>
#include <ctime>
#include <string>

namespace gilscope {

// The current time in UTC, as in RFC 3339: "2026-01-31T09:30:00Z".
std::string utc_now();

inline uint64_t to_ns(const timespec& time) {
  return static_cast<uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(time.tv_nsec);
}
inline uint64_t to_ns(const timeval& time) {
  return static_cast<uint64_t>(time.tv_sec) * 1'000'000'000 +
         static_cast<uint64_t>(time.tv_usec) * 1'000;
}

// A clock of clock_gettime(2).
inline uint64_t clock_ns(clockid_t clock) {
  timespec time;
  clock_gettime(clock, &time);
  return to_ns(time);
}
inline uint64_t monotonic_ns() {
  return clock_ns(CLOCK_MONOTONIC);
}

}  // namespace gilscope
