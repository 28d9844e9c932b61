#include "userspace/subject/maps.h"

#include <sys/sysmacros.h>

#include <charconv>
#include <optional>

namespace gilscope {
namespace {

// Takes a number from the front of `text`, and the character behind it.
std::optional<uint64_t> take_number(std::string_view& text, int base, char behind) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  const auto length = static_cast<size_t>(end - text.data());
  if (error != std::errc() || length == text.size() || text[length] != behind) return std::nullopt;
  text.remove_prefix(length + 1);
  return value;
}

// 00400000-0041f000 r--p 00000000 fe:00 247970      /usr/bin/python3.11
std::optional<MappedRange> parse_line(std::string_view line) {
  MappedRange range;
  const auto start = take_number(line, 16, '-');
  const auto end = start ? take_number(line, 16, ' ') : std::nullopt;
  if (!end || *end <= *start || line.size() < 5 || line[4] != ' ') return std::nullopt;
  range.start = *start;
  range.end = *end;
  range.readable = line[0] == 'r';
  range.writable = line[1] == 'w';
  range.executable = line[2] == 'x';
  line.remove_prefix(5);
  const auto offset = take_number(line, 16, ' ');
  const auto major = offset ? take_number(line, 16, ':') : std::nullopt;
  const auto minor = major ? take_number(line, 16, ' ') : std::nullopt;
  if (!minor) return std::nullopt;
  range.offset = *offset;
  range.device = makedev(static_cast<unsigned>(*major), static_cast<unsigned>(*minor));
  const size_t blank = line.find(' ');
  std::string_view inode = line.substr(0, blank);
  const auto [stop, error] =
      std::from_chars(inode.data(), inode.data() + inode.size(), range.inode);
  if (error != std::errc() || stop != inode.data() + inode.size()) return std::nullopt;
  const size_t path = blank == line.npos ? line.npos : line.find_first_not_of(' ', blank);
  if (path != line.npos) {
    line.remove_prefix(path);
    constexpr std::string_view kDeleted = " (deleted)";
    if (line.ends_with(kDeleted)) line.remove_suffix(kDeleted.size());
    range.path = line;
  }
  return range;
}

}  // namespace

std::vector<MappedRange> parse_maps(std::string_view text) {
  std::vector<MappedRange> ranges;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    if (auto range = parse_line(text.substr(0, end))) ranges.push_back(std::move(*range));
    if (end == text.npos) break;
    text.remove_prefix(end + 1);
  }
  return ranges;
}

}  // namespace gilscope
