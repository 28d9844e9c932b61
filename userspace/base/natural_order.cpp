#include "userspace/base/natural_order.h"

#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <tuple>

namespace gilscope {
namespace {

bool digit(char c) {
  return c >= '0' && c <= '9';
}

bool letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (static_cast<uint8_t>(c) & 0x80);
}

// Numbers of different kinds sort in this order.
enum class Kind { plain, share, frequency, bytes, time };

struct Unit {
  std::string_view name;
  Kind kind;
  long double times;
};

constexpr std::array kUnits{
    Unit{"k", Kind::plain, 1e3L},
    Unit{"K", Kind::plain, 1e3L},
    Unit{"M", Kind::plain, 1e6L},
    Unit{"G", Kind::plain, 1e9L},
    Unit{"T", Kind::plain, 1e12L},
    Unit{"Ki", Kind::plain, 1024.0L},
    Unit{"Mi", Kind::plain, 1048576.0L},
    Unit{"Gi", Kind::plain, 1073741824.0L},
    Unit{"Ti", Kind::plain, 1.099511627776e12L},
    Unit{"Hz", Kind::frequency, 1.0L},
    Unit{"kHz", Kind::frequency, 1e3L},
    Unit{"MHz", Kind::frequency, 1e6L},
    Unit{"GHz", Kind::frequency, 1e9L},
    Unit{"B", Kind::bytes, 1.0L},
    Unit{"kB", Kind::bytes, 1e3L},
    Unit{"KB", Kind::bytes, 1e3L},
    Unit{"MB", Kind::bytes, 1e6L},
    Unit{"GB", Kind::bytes, 1e9L},
    Unit{"TB", Kind::bytes, 1e12L},
    Unit{"KiB", Kind::bytes, 1024.0L},
    Unit{"MiB", Kind::bytes, 1048576.0L},
    Unit{"GiB", Kind::bytes, 1073741824.0L},
    Unit{"TiB", Kind::bytes, 1.099511627776e12L},
    Unit{"ns", Kind::time, 1.0L},
    Unit{"us", Kind::time, 1e3L},
    Unit{"µs", Kind::time, 1e3L},
    Unit{"ms", Kind::time, 1e6L},
    Unit{"s", Kind::time, 1e9L},
    Unit{"min", Kind::time, 60e9L},
    Unit{"h", Kind::time, 3600e9L},
};

const Unit* find_unit(std::string_view name) {
  for (const Unit& unit : kUnits) {
    if (unit.name == name) return &unit;
  }
  return nullptr;
}

// The letters that start at `at`; empty if a digit follows them.
std::string_view word_at(std::string_view text, size_t at) {
  size_t end = at;
  while (end < text.size() && letter(text[end])) ++end;
  if (end < text.size() && digit(text[end])) return {};
  return text.substr(at, end - at);
}

// The kinds of piece that a text is split into. They sort in this order: a pre-release suffix comes
// before the end of the text, and a number before a word.
enum class Part { to_come, end, number, word };

struct Piece {
  Part part = Part::end;
  std::string_view word;  // to_come, word
  Kind kind = Kind::plain;
  long double value = 0;
  std::string_view digits;  // without leading zeros
  Piece() = default;
};

bool pre_release(std::string_view text) {
  if (text.starts_with('~')) return true;
  if (text.starts_with('-') || text.starts_with('.') || text.starts_with('+') ||
      text.starts_with('_')) {
    text.remove_prefix(1);
  }
  size_t end = 0;
  while (end < text.size() && letter(text[end])) ++end;
  const std::string_view name = text.substr(0, end);
  for (const std::string_view known : {"rc", "alpha", "beta", "pre", "dev"}) {
    if (name == known) return true;
  }
  return false;
}

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  Piece next() {
    Piece piece;
    if (at_ == text_.size()) return piece;
    const bool negative = sign();
    if (negative || digit(text_[at_])) {
      number(piece, negative);
      after_number_ = true;
      return piece;
    }
    const size_t first = at_;
    piece.part = after_number_ && pre_release(text_.substr(at_)) ? Part::to_come : Part::word;
    do {
      ++at_;
    } while (at_ < text_.size() && !digit(text_[at_]) && !sign());
    piece.word = text_.substr(first, at_ - first);
    after_number_ = false;
    return piece;
  }

 private:
  // A hyphen before a digit is a minus sign at the start of the text or after one of these
  // separators.
  bool sign() const {
    if (text_[at_] != '-' || at_ + 1 == text_.size() || !digit(text_[at_ + 1])) return false;
    return at_ == 0 || std::string_view("=:,;( ").find(text_[at_ - 1]) != std::string_view::npos;
  }

  void skip_digits(size_t& at) const {
    while (at < text_.size() && digit(text_[at])) ++at;
  }

  const Unit* unit_at(size_t at) const {
    if (at < text_.size() && text_[at] == '%') return &kShare;
    return find_unit(word_at(text_, at));
  }

  void number(Piece& piece, bool negative) {
    if (negative) ++at_;
    piece.part = Part::number;
    size_t first = at_;
    skip_digits(at_);
    while (first + 1 < at_ && text_[first] == '0') ++first;
    piece.digits = text_.substr(first, at_ - first);
    long double value = 0;
    for (const char c : piece.digits) value = value * 10 + (c - '0');
    size_t end = at_;
    if (at_ + 1 < text_.size() && text_[at_] == '.' && digit(text_[at_ + 1])) {
      size_t fraction = at_ + 1;
      skip_digits(fraction);
      const bool last = fraction == text_.size() || text_[fraction] != '.';
      if (last && (negative || unit_at(fraction))) {
        long double place = 1;
        for (size_t i = at_ + 1; i < fraction; ++i) value += (text_[i] - '0') * (place /= 10);
        end = fraction;
      }
    }
    at_ = end;
    if (const Unit* unit = unit_at(at_)) {
      piece.kind = unit->kind;
      value *= unit->times;
      at_ += unit->name.size();
    }
    piece.value = negative ? -value : value;
  }

  static constexpr Unit kShare{"%", Kind::share, 1.0L};
  std::string_view text_;
  size_t at_ = 0;
  bool after_number_ = false;
};

// From here on, different integers may share one floating-point value.
constexpr long double kExact = 9.2e18L;

int sign_of(auto order) {
  return order < 0 ? -1 : order > 0 ? 1 : 0;
}

int compare(const Piece& a, const Piece& b) {
  if (a.part != b.part) return a.part < b.part ? -1 : 1;
  if (a.part == Part::end) return 0;
  if (a.part != Part::number) return sign_of(a.word.compare(b.word));
  if (a.kind != b.kind) return a.kind < b.kind ? -1 : 1;
  if (a.value != b.value) return a.value < b.value ? -1 : 1;
  if (a.value < kExact) return 0;
  if (a.digits.size() != b.digits.size()) return a.digits.size() < b.digits.size() ? -1 : 1;
  return sign_of(a.digits.compare(b.digits));
}

std::optional<double> number_of(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value != value) return {};
  return value;
}

}  // namespace

bool naturally_less(std::string_view a, std::string_view b) {
  Reader first(a), second(b);
  for (;;) {
    const Piece x = first.next(), y = second.next();
    if (const int order = compare(x, y)) return order < 0;
    if (x.part == Part::end) break;
  }
  return std::tuple(a.size(), a) < std::tuple(b.size(), b);
}

bool numerically_less(std::string_view a, std::string_view b) {
  const auto x = number_of(a), y = number_of(b);
  if (x && y && *x != *y) return *x < *y;
  if (x.has_value() != y.has_value()) return x.has_value();
  return naturally_less(a, b);
}

}  // namespace gilscope
