#include "userspace/base/quote.h"

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>

namespace gilscope {
namespace {

constexpr size_t kLongest = 100;

// The length of the UTF-8 character at the start of `text`; 0 if it is not valid UTF-8.
size_t character_length(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t first = byte(0);
  if (first < 0x80) return 1;
  const size_t length = first >= 0xc2 && first <= 0xdf   ? 2
                        : first >= 0xe0 && first <= 0xef ? 3
                        : first >= 0xf0 && first <= 0xf4 ? 4
                                                         : 0;
  if (length == 0 || text.size() < length) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  // Rejects overlong forms, surrogates, and values beyond the last code point.
  const uint8_t second = byte(1);
  if (first == 0xe0 && second < 0xa0) return 0;
  if (first == 0xed && second > 0x9f) return 0;
  if (first == 0xf0 && second < 0x90) return 0;
  if (first == 0xf4 && second > 0x8f) return 0;
  return length;
}

// U+0080 to U+009F control terminals just as ASCII's control characters do.
bool is_control(std::string_view character) {
  const auto first = static_cast<uint8_t>(character[0]);
  if (character.size() == 1) return first < 0x20 || first == 0x7f;
  return first == 0xc2 && static_cast<uint8_t>(character[1]) < 0xa0;
}

// Bidirectional control characters, which would make a terminal show later text out of order.
bool turns_direction(std::string_view character) {
  for (std::string_view turning : {"\u061c", "\u200e", "\u200f", "\u202a", "\u202b", "\u202c",
                                   "\u202d", "\u202e", "\u2066", "\u2067", "\u2068", "\u2069"}) {
    if (character == turning) return true;
  }
  return false;
}

}  // namespace

std::string printable(std::string_view text) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const size_t length = character_length(text.substr(at));
    const std::string_view character = text.substr(at, length == 0 ? 1 : length);
    if (length != 0 && !is_control(character) && !turns_direction(character)) {
      out += character;
    } else {
      for (const char c : character) out += fmt::format("\\x{:02x}", static_cast<uint8_t>(c));
    }
    at += character.size();
  }
  return out;
}

std::string in_quotes(std::string_view text) {
  if (text.size() <= kLongest) return "'" + printable(text) + "'";
  size_t cut = kLongest;
  while (cut > 0 && (static_cast<uint8_t>(text[cut]) & 0xc0) == 0x80) --cut;
  return "'" + printable(text.substr(0, cut)) + "...'";
}

}  // namespace gilscope
