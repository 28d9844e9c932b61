#include "userspace/subject/glibc.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "userspace/base/quote.h"
#include "userspace/subject/names.h"
#include "userspace/subject/search.h"

namespace gilscope {
namespace {

constexpr uint64_t kMostText = uint64_t{64} << 20;
constexpr size_t kLongestBanner = 256;
constexpr std::string_view kBanner = "GNU C Library (";

bool is_glibc_name(std::string_view name) {
  return name == "libc.so.6" || (name.starts_with("libc-2.") && name.ends_with(".so"));
}

bool is_musl_name(std::string_view name) {
  return name.starts_with("ld-musl-") || name.starts_with("libc.musl-") || name == "libc.so";
}

std::optional<Glibc> find_banner(const ProcessMemory& process, const MappedObject& object) {
  std::optional<Glibc> found;
  search_memory(process, object.ranges, kLongestBanner, kMostText, [&](uint64_t, auto piece) {
    std::string_view text(reinterpret_cast<const char*>(piece.data()), piece.size());
    for (size_t at = text.find(kBanner); at != text.npos; at = text.find(kBanner, at + 1)) {
      found = parse_glibc_banner(text.substr(at, kLongestBanner));
      if (found) return true;
    }
    return false;
  });
  return found;
}

template <typename T>
T word_at(std::span<const uint8_t> bytes, size_t at) {
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

}  // namespace

std::optional<Glibc> parse_glibc_banner(std::string_view text) {
  constexpr std::string_view kBefore = " release version ";
  const size_t at = text.find(kBefore);
  if (!text.starts_with(kBanner) || at == text.npos) return std::nullopt;
  text.remove_prefix(at + kBefore.size());
  Glibc glibc;
  const char* end = text.data() + text.size();
  const auto major = std::from_chars(text.data(), end, glibc.major);
  if (major.ec != std::errc() || major.ptr == end || *major.ptr != '.') return std::nullopt;
  const auto minor = std::from_chars(major.ptr + 1, end, glibc.minor);
  if (minor.ec != std::errc()) return std::nullopt;
  return glibc;
}

Result<Glibc> glibc_of(const ProcessMemory& process, std::span<const MappedObject> objects) {
  const MappedObject* library = nullptr;
  for (const MappedObject& object : objects) {
    // Only a library that is executed, not a file that is read.
    if (std::ranges::none_of(object.ranges, &MappedRange::executable)) continue;
    const std::string_view name = base_name(object.path);
    if (is_musl_name(name)) {
      return fail(
          fmt::format("{} uses the C library musl, whose threads wait at addresses that do "
                      "not tell what for; it takes a build with glibc",
                      shown_process(process.pid(), process.executable())));
    }
    if (is_glibc_name(name)) library = &object;
    // A static program has it in itself.
    if (!library && object.path == process.executable()) library = &object;
  }
  const auto glibc = library ? find_banner(process, *library) : std::nullopt;
  if (!glibc) {
    return fail(
        fmt::format("{} uses a C library that is not known to be glibc (linked into it?), "
                    "and only how threads wait with glibc is known",
                    shown_process(process.pid(), process.executable())));
  }
  if (!glibc->has_known_conditions()) {
    return fail(fmt::format("{} uses glibc {}.{}, and conditions can be followed from 2.25 on",
                            shown_process(process.pid(), process.executable()), glibc->major,
                            glibc->minor));
  }
  return *glibc;
}

// nptl/pthread_cond_common.c; struct __pthread_cond_s of both layouts.
bool can_be_condition(std::span<const uint8_t, GILSCOPE_CONDITION_BYTES> bytes,
                      const Glibc& glibc) {
  const auto waits = word_at<uint64_t>(bytes, 0) >> 1;
  const auto group_start = word_at<uint64_t>(bytes, 8) >> 1;
  const auto waiters = word_at<uint32_t>(bytes, glibc.signals_at() - 4);  // __wrefs
  constexpr uint32_t kShared = 1;
  return waits < uint64_t{1} << 48 && group_start <= waits && (waiters & kShared) == 0 &&
         waiters >> 3 <= 1 << 20;
}

// nptl: struct __pthread_mutex_s {lock, count, owner, nusers, kind, spins, elision, list}.
bool can_be_mutex(std::span<const uint8_t, GILSCOPE_MUTEX_BYTES> bytes) {
  constexpr uint32_t kElision = 0x300;  // which glibc itself adds to the kind
  return word_at<uint32_t>(bytes, 0) <= 2 && word_at<uint32_t>(bytes, 4) == 0 &&
         word_at<uint32_t>(bytes, 12) <= 1 << 20 &&
         (word_at<uint32_t>(bytes, 16) & ~kElision) == 0 && word_at<uint64_t>(bytes, 24) == 0 &&
         word_at<uint64_t>(bytes, 32) == 0;
}

}  // namespace gilscope
