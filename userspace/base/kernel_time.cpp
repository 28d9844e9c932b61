#include "userspace/base/kernel_time.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>

#include "userspace/base/fd.h"
#include "userspace/base/file_io.h"
#include "userspace/base/time.h"

namespace gilscope {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

std::string_view next_word(std::string_view& line) {
  const size_t from = std::min(line.find_first_not_of(" \t"), line.size());
  line.remove_prefix(from);
  const std::string_view word = line.substr(0, line.find_first_of(" \t"));
  line.remove_prefix(word.size());
  return word;
}

std::optional<int64_t> next_number(std::string_view& line) {
  const std::string_view word = next_word(line);
  int64_t number = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  if (error != std::errc() || end != word.data() + word.size()) return {};
  return number;
}

// Read once: the offset cannot change once a process is in the namespace.
int64_t known_offset_ns() {
  static const int64_t offset = time_namespace_offset_ns().value_or(0);
  return offset;
}

}  // namespace

Result<int64_t> parse_timens_offsets(std::string_view text) {
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    // The kernel writes the clock's name; Linux 5.6 wrote its number, 1.
    const std::string_view clock = next_word(line);
    if (clock != "monotonic" && clock != "1") continue;
    const auto seconds = next_number(line), ns = next_number(line);
    constexpr int64_t kMost = std::numeric_limits<int64_t>::max() / kSecond - 1;
    if (!seconds || !ns || *seconds > kMost || *seconds < -kMost) break;
    return *seconds * kSecond + *ns;
  }
  return fail("/proc/self/timens_offsets has no readable offset of CLOCK_MONOTONIC");
}

Result<int64_t> time_namespace_offset_ns() {
  struct stat own {
  }, of_children{};
  if (::stat("/proc/self/ns/time", &own) != 0) return 0;  // a kernel without time namespaces
  if (::stat("/proc/self/ns/time_for_children", &of_children) == 0 &&
      own.st_ino != of_children.st_ino) {
    return fail(Exit::unable,
                "this process's children would be in a different time namespace from its own: "
                "start gilscope as a child (unshare --time --fork)");
  }
  const Fd file(::open("/proc/self/timens_offsets", O_RDONLY | O_CLOEXEC));
  if (!file) {
    return fail_errno("cannot read /proc/self/timens_offsets, which has the clock's offset");
  }
  constexpr size_t kMostBytes = 4096;
  const auto text = read_to_end(file.get(), kMostBytes, "cannot read /proc/self/timens_offsets",
                                "/proc/self/timens_offsets is larger than a page");
  if (!text) return fail(text.error());
  return parse_timens_offsets(*text);
}

uint64_t to_kernel_monotonic_ns(uint64_t ns) {
  return ns - static_cast<uint64_t>(known_offset_ns());
}

uint64_t kernel_monotonic_ns() {
  return to_kernel_monotonic_ns(monotonic_ns());
}

}  // namespace gilscope
