// The notation of policies and workloads: name:argument,argument, where an argument is key=value or
// a plain word: "count:n=20M", "check-interval:100,lock=condvar".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "userspace/base/result.h"

namespace gilscope {

struct Argument {
  std::string key;  // empty for a plain word
  std::string value;
  bool operator==(const Argument&) const = default;
};

struct Term {
  std::string name;
  std::vector<Argument> arguments;
};

Result<Term> parse_term(std::string_view text);

// "20M" -> 20000000; suffixes k, M, G (powers of ten). Leading zeros do not make it octal: "010" is
// ten. Refuses signs, exponents, separators and numbers that do not fit 64 bits.
Result<uint64_t> parse_count(std::string_view text);
// The same within bounds; the error of a number outside them names the bounds: "-1 is out of range:
// give 1 to 10000".
Result<uint64_t> parse_count(std::string_view text, uint64_t low, uint64_t high);
tl::unexpected<Error> out_of_range(std::string_view number, uint64_t low, uint64_t high);
// "5ms" -> 5000000 ns; suffixes ns, us, ms, s; decimals allowed ("0.5ms").
Result<uint64_t> parse_duration_ns(std::string_view text);
// The shortest exact form: 20000000 -> "20M"; 5000000 ns -> "5ms".
std::string format_count(uint64_t count);
std::string format_duration_ns(uint64_t ns);

// Whether a text is empty or only white space (Unicode's included), as an unset shell variable is.
bool is_blank(std::string_view text);

// Fails unless `text` is one of the words; the error names them and the nearest one.
Status check_word(std::string_view text, const std::vector<std::string>& words);

// The candidate nearest to a misspelt word by edit distance, or "" if none is near.
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace gilscope
