// The notation that policies and workloads share: name:argument,argument with each argument either
// key=value or a plain word. "count:n=20M", "check-interval:100,lock=condvar".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "userspace/util/result.h"

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

// "20M" -> 20000000; suffixes k, M, G (powers of ten). Digits are decimal whatever they begin with:
// "010" is ten. A sign, an exponent and a separator are refused, and so is what does not fit 64
// bits.
Result<uint64_t> parse_count(std::string_view text);
// The same within bounds, which the refusal of a number outside them names: "-1 is out of range: 1
// to 10000 can be had".
Result<uint64_t> parse_count(std::string_view text, uint64_t low, uint64_t high);
tl::unexpected<Error> out_of_range(std::string_view number, uint64_t low, uint64_t high);
// "5ms" -> 5000000 ns; suffixes ns, us, ms, s; decimals allowed ("0.5ms").
Result<uint64_t> parse_duration_ns(std::string_view text);
// The shortest exact form: 20000000 -> "20M"; 5000000 ns -> "5ms".
std::string format_count(uint64_t count);
std::string format_duration_ns(uint64_t ns);

// Whether there is nothing to see in it: empty, or white space alone (Unicode's too). A variable of
// a shell that was not set comes to that.
bool is_blank(std::string_view text);

// Refuses what is none of the words: it names them, and the nearest one.
Status check_word(std::string_view text, const std::vector<std::string>& words);

// The candidate nearest to a misspelt word, or "" where none is near (edit distance).
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace gilscope
