#include "userspace/subject/banner.h"

#include <algorithm>
#include <charconv>

#include "userspace/subject/search.h"

namespace gilscope {
namespace {

constexpr uint64_t kMost = uint64_t{128} << 20;
constexpr size_t kLongest = 320;  // Python/getversion.c has 250 and 300 bytes for it

// "3.11.2" and what may follow without a blank: "3.13.0rc1", "2.7.18+", "3.1.2p20".
std::optional<LanguageVersion> take_version(std::string_view& text) {
  LanguageVersion version;
  const size_t end = text.find(' ');
  if (end == text.npos || end > 24) return std::nullopt;
  const std::string_view word = text.substr(0, end);
  const char* stop = word.data() + word.size();
  const auto major = std::from_chars(word.data(), stop, version.major);
  if (major.ec != std::errc() || major.ptr == stop || *major.ptr != '.') return std::nullopt;
  const auto minor = std::from_chars(major.ptr + 1, stop, version.minor);
  if (minor.ec != std::errc() || minor.ptr == stop || *minor.ptr != '.') return std::nullopt;
  const bool plain = std::ranges::all_of(word, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '.' || c == '+' || c == '-';
  });
  if (!plain) return std::nullopt;
  version.text = word;
  text.remove_prefix(end);
  return version;
}

// Calls `parse` at each place in the ranges whose text does begin with `first`.
template <typename Parsed, typename Parse>
std::optional<Parsed> find_text(const Memory& memory, std::span<const MappedRange> ranges,
                                std::string_view first, Parse parse) {
  std::optional<Parsed> found;
  search_memory(memory, ranges, kLongest, kMost, [&](uint64_t, auto piece) {
    const std::string_view text(reinterpret_cast<const char*>(piece.data()), piece.size());
    for (size_t at = text.find(first); at != text.npos; at = text.find(first, at + 1)) {
      if (at > 0 && text[at - 1] != '\0') continue;  // it does not begin here
      found = parse(text.substr(at, kLongest));
      if (found) return true;
    }
    return false;
  });
  return found;
}

}  // namespace

std::optional<Banner> parse_python_banner(std::string_view text) {
  text = text.substr(0, text.find('\0'));
  Banner banner;
  auto version = take_version(text);
  if (!version || (version->major != 2 && version->major != 3)) return std::nullopt;
  banner.version = std::move(*version);
  // " (main, Nov 30 2024, 21:22:50) [GCC 12.2.0]"; up to 3.9 the compiler is in a line of its own;
  // free-threaded builds have " free-threading build" first.
  const size_t open = text.find(" (");
  const size_t close = text.find(')', open == text.npos ? 0 : open);
  if (open == text.npos || open > 40 || close == text.npos) return std::nullopt;
  std::string_view compiler = text.substr(close + 1);
  const size_t bracket = compiler.find_first_not_of(" \n");
  if (bracket == compiler.npos || bracket > 2 || compiler[bracket] != '[') return std::nullopt;
  compiler.remove_prefix(bracket + 1);
  constexpr std::string_view kPyPy = "PyPy ";
  if (compiler.starts_with(kPyPy)) {
    compiler.remove_prefix(kPyPy.size());
    banner.pypy = compiler.substr(0, compiler.find_first_not_of("0123456789."));
    if (banner.pypy.empty()) return std::nullopt;
  }
  return banner;
}

std::optional<Banner> find_python_banner(const Memory& memory, const MappedObject& object) {
  for (const std::string_view first : {"3.", "2."}) {
    auto found = find_text<Banner>(memory, object.data, first, parse_python_banner);
    if (found) return found;
  }
  return std::nullopt;
}

std::optional<LanguageVersion> parse_ruby_banner(std::string_view text) {
  constexpr std::string_view kRuby = "ruby ";
  text = text.substr(0, text.find('\0'));
  if (!text.starts_with(kRuby)) return std::nullopt;
  text.remove_prefix(kRuby.size());
  auto version = take_version(text);
  if (!version || !text.starts_with(" (20")) return std::nullopt;
  // Without the number of its patch, which no release since 2.1 has beside that of its version.
  version->text.resize(std::min(version->text.find('p'), version->text.size()));
  return version;
}

std::optional<LanguageVersion> find_ruby_banner(const Memory& memory, const MappedObject& object) {
  return find_text<LanguageVersion>(memory, object.ranges, "ruby ", parse_ruby_banner);
}

}  // namespace gilscope
