#include "userspace/base/term.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>

#include "userspace/base/quote.h"

namespace gilscope {
namespace {

constexpr size_t kLongestTerm = 1000;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '-' || c == '_';
}

Result<std::string> parse_name(std::string_view name, const char* what, std::string_view text) {
  if (name.empty()) return fail(fmt::format("{} has an empty {}", in_quotes(text), what));
  if (!std::all_of(name.begin(), name.end(), is_name_character)) {
    return fail(fmt::format("{} is not a {} (in {}): use letters, digits, '-' and '_'",
                            in_quotes(name), what, in_quotes(text)));
  }
  return std::string(name);
}

// Any visible ASCII characters except the notation's own separators.
bool is_value(std::string_view value) {
  return !value.empty() && std::all_of(value.begin(), value.end(), [](char c) {
    return c > ' ' && c <= '~' && c != ',' && c != '=' && c != ':';
  });
}

Result<Argument> parse_argument(std::string_view part, std::string_view text) {
  if (part.empty()) {
    return fail(
        fmt::format("{} has an empty argument: write name:argument,argument", in_quotes(text)));
  }
  Argument argument;
  std::string_view value = part;
  if (const size_t equals = part.find('='); equals != part.npos) {
    auto key = parse_name(part.substr(0, equals), "key", text);
    if (!key) return fail(key.error());
    argument.key = *key;
    value = part.substr(equals + 1);
  }
  if (!is_value(value)) {
    return fail(fmt::format("{} is not an argument (in {}): write key=value or one plain word",
                            in_quotes(part), in_quotes(text)));
  }
  argument.value = value;
  return argument;
}

// The digits at the start of `text`; possibly none.
std::string_view leading_digits(std::string_view text) {
  const auto end = std::find_if_not(text.begin(), text.end(), is_digit);
  return text.substr(0, static_cast<size_t>(end - text.begin()));
}

std::optional<uint64_t> to_number(std::string_view digits) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return number;
}

std::optional<uint64_t> product(uint64_t a, uint64_t b) {
  uint64_t result = 0;
  if (__builtin_mul_overflow(a, b, &result)) return std::nullopt;
  return result;
}

uint64_t power_of_ten(size_t exponent) {
  uint64_t result = 1;
  while (exponent-- > 0) result *= 10;
  return result;
}

struct Unit {
  const char* suffix;
  size_t exponent;  // of ten
};
constexpr std::array<Unit, 4> kCountUnits{{{"G", 9}, {"M", 6}, {"k", 3}, {"", 0}}};
constexpr std::array<Unit, 4> kTimeUnits{{{"s", 9}, {"ms", 6}, {"us", 3}, {"ns", 0}}};

const Unit* find_unit(const std::array<Unit, 4>& units, std::string_view suffix) {
  const auto found = std::find_if(units.begin(), units.end(),
                                  [&](const Unit& unit) { return suffix == unit.suffix; });
  return found == units.end() ? nullptr : &*found;
}

tl::unexpected<Error> too_large(std::string_view text) {
  return fail(fmt::format("{} is too large: it does not fit 64 bits", in_quotes(text)));
}

// Optimal string alignment distance: an insertion, a deletion, a replacement and a swap of two
// neighbours each cost 1.
size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
    std::swap(before, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

}  // namespace

Result<Term> parse_term(std::string_view text) {
  if (text.empty()) return fail("an empty name: write name or name:argument,argument");
  if (text.size() > kLongestTerm) {
    return fail(
        fmt::format("{} is too long: the limit is {} characters", in_quotes(text), kLongestTerm));
  }
  const size_t colon = text.find(':');
  auto name = parse_name(text.substr(0, colon), "name", text);
  if (!name) return fail(name.error());

  Term term{std::move(*name), {}};
  if (colon == text.npos) return term;
  std::string_view rest = text.substr(colon + 1);
  while (true) {
    const size_t comma = rest.find(',');
    auto argument = parse_argument(rest.substr(0, comma), text);
    if (!argument) return fail(argument.error());
    const bool again =
        std::any_of(term.arguments.begin(), term.arguments.end(), [&](const Argument& other) {
          return argument->key.empty() ? other == *argument : other.key == argument->key;
        });
    if (again) {
      return fail(fmt::format("{} gives {} twice", in_quotes(text),
                              in_quotes(argument->key.empty() ? argument->value : argument->key)));
    }
    term.arguments.push_back(std::move(*argument));
    if (comma == rest.npos) return term;
    rest.remove_prefix(comma + 1);
  }
}

Result<uint64_t> parse_count(std::string_view text) {
  const std::string_view digits = leading_digits(text);
  const Unit* unit = find_unit(kCountUnits, text.substr(digits.size()));
  if (digits.empty() || unit == nullptr) {
    return fail(fmt::format("{} is not a count: write digits, optionally followed by k, M or G",
                            in_quotes(text)));
  }
  const auto number = to_number(digits);
  const auto count = number ? product(*number, power_of_ten(unit->exponent)) : std::nullopt;
  if (!count) return too_large(text);
  return *count;
}

tl::unexpected<Error> out_of_range(std::string_view number, uint64_t low, uint64_t high) {
  constexpr size_t kLongestNumber = 32;
  return fail(fmt::format("{} is out of range: give {} to {}",
                          number.size() > kLongestNumber ? in_quotes(number) : std::string(number),
                          low, high));
}

Result<uint64_t> parse_count(std::string_view text, uint64_t low, uint64_t high) {
  // A negative number, or one too large for 64 bits, is out of range rather than not a count.
  const bool negative = text.starts_with('-');
  const std::string_view size = text.substr(negative ? 1 : 0);
  const std::string_view digits = leading_digits(size);
  if (digits.empty() || find_unit(kCountUnits, size.substr(digits.size())) == nullptr) {
    return parse_count(text);
  }
  const auto count = parse_count(size);
  if (negative || !count || *count < low || *count > high) return out_of_range(text, low, high);
  return *count;
}

Result<uint64_t> parse_duration_ns(std::string_view text) {
  const std::string_view whole = leading_digits(text);
  std::string_view rest = text.substr(whole.size());
  std::string_view fraction;
  bool good = !whole.empty();
  if (rest.starts_with('.')) {
    fraction = leading_digits(rest.substr(1));
    good = good && !fraction.empty();
    rest.remove_prefix(1 + fraction.size());
  }
  const Unit* unit = find_unit(kTimeUnits, rest);
  if (!good || unit == nullptr) {
    return fail(fmt::format("{} is not a duration: write a number followed by ns, us, ms or s",
                            in_quotes(text)));
  }
  while (fraction.ends_with('0')) fraction.remove_suffix(1);
  if (fraction.size() > unit->exponent) {
    return fail(fmt::format("{} is finer than a nanosecond", in_quotes(text)));
  }
  const auto number = to_number(whole);
  const auto ns = number ? product(*number, power_of_ten(unit->exponent)) : std::nullopt;
  const uint64_t part = fraction.empty() ? 0 : *to_number(fraction);
  uint64_t sum = 0;
  if (!ns ||
      __builtin_add_overflow(*ns, part * power_of_ten(unit->exponent - fraction.size()), &sum)) {
    return too_large(text);
  }
  return sum;
}

std::string format_count(uint64_t count) {
  if (count == 0) return "0";
  const auto unit = std::find_if(kCountUnits.begin(), kCountUnits.end(), [&](const Unit& u) {
    return count % power_of_ten(u.exponent) == 0;
  });
  return fmt::format("{}{}", count / power_of_ten(unit->exponent), unit->suffix);
}

// Uses the unit that makes the text shortest, of those no longer than the duration: 100ms stays
// 100ms (not 0.1s), 1500us becomes 1.5ms, 1234567ns stays as it is.
std::string format_duration_ns(uint64_t ns) {
  if (ns == 0) return "0s";
  std::string shortest;
  for (const Unit& unit : kTimeUnits) {
    const uint64_t size = power_of_ten(unit.exponent);
    if (ns < size) continue;
    std::string text = std::to_string(ns / size);
    if (ns % size != 0) {
      text += fmt::format(".{:0{}}", ns % size, unit.exponent);
      while (text.ends_with('0')) text.pop_back();
    }
    text += unit.suffix;
    if (shortest.empty() || text.size() < shortest.size()) shortest = std::move(text);
  }
  return shortest;
}

bool is_blank(std::string_view text) {
  // ASCII's white space, Unicode's spaces, the zero-width space and the byte order mark.
  constexpr std::array<std::string_view, 25> kSpaces = {
      " ",      "\t",     "\n",     "\r",     "\v",     "\f",     "\u0085", "\u00a0", "\u1680",
      "\u2000", "\u2001", "\u2002", "\u2003", "\u2004", "\u2005", "\u2006", "\u2007", "\u2008",
      "\u2009", "\u200a", "\u200b", "\u202f", "\u205f", "\u3000", "\ufeff"};
  while (!text.empty()) {
    const auto space = std::ranges::find_if(
        kSpaces, [&](std::string_view candidate) { return text.starts_with(candidate); });
    if (space == kSpaces.end()) return false;
    text.remove_prefix(space->size());
  }
  return true;
}

Status check_word(std::string_view text, const std::vector<std::string>& words) {
  if (std::ranges::find(words, text) != words.end()) return {};
  const std::string near = nearest(text, words);
  return fail(fmt::format("{} is unknown{}: choose from {}", in_quotes(text),
                          near.empty() ? "" : fmt::format(" (did you mean '{}'?)", near),
                          fmt::join(words, ", ")));
}

std::string nearest(std::string_view word, const std::vector<std::string>& candidates) {
  constexpr size_t kLongestWord = 64;
  if (word.empty() || word.size() > kLongestWord) return "";
  std::string best;
  size_t best_distance = kLongestWord;
  for (const std::string& candidate : candidates) {
    if (candidate.size() > kLongestWord) continue;
    // Up to a third of a word may be wrong. A prefix counts as a near miss whatever its length.
    const size_t length = std::max(word.size(), candidate.size());
    const size_t allowed = std::max<size_t>(1, length / 3);
    const bool begins = word.size() >= 3 && candidate.starts_with(word);
    const size_t distance = begins ? 1 : edit_distance(word, candidate);
    if (distance <= allowed && distance < word.size() && distance < best_distance) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

}  // namespace gilscope
