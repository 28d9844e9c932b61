// What a workload can be told: a table of parameters, and how a text is read by it. The same table
// makes the canonical text and the lines of `gilscope list`.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "userspace/util/result.h"
#include "userspace/util/term.h"

namespace gilscope {

struct Parameter {
  enum class Kind { count, duration, word, path };

  std::string key;
  Kind kind = Kind::count;
  std::optional<uint64_t> fallback;  // of a count, or of a duration in ns; empty: none unless given
  uint64_t low = 0, high = INT64_MAX;
  std::vector<std::string> words = {};  // of a word, the first one being the fallback
  bool always = false;  // stands in the canonical text even where it is the fallback
};

Parameter count_parameter(std::string key, uint64_t fallback, uint64_t low, uint64_t high,
                          bool always = false);
// A bare number is one of seconds where the key is "seconds".
Parameter duration_parameter(std::string key, std::optional<uint64_t> fallback_ns, uint64_t low_ns,
                             uint64_t high_ns, bool always = false);
Parameter word_parameter(std::string key, std::vector<std::string> words, bool always = false);
// An absolute path without '..' and ','; the fallback is one itself.
Parameter path_parameter(std::string key, std::string fallback);

// The values of one text.
class Parameters {
 public:
  static Result<Parameters> read(const std::vector<Parameter>& table, const Term& term);

  uint64_t number(const std::string& key) const { return numbers_.at(key); }
  std::optional<uint64_t> optional_number(const std::string& key) const;
  const std::string& word(const std::string& key) const { return words_.at(key); }

  // "echo:background=1,seconds=2s"
  const std::string& canonical() const { return canonical_; }

 private:
  std::map<std::string, uint64_t> numbers_;
  std::map<std::string, std::string> words_;
  std::string canonical_;
};

// "n=", "seconds=", "task=pidigits", "task=regex"
std::vector<std::string> argument_forms(const std::vector<Parameter>& table);

// "n=COUNT, seconds=TIME, task=pidigits|regex"
std::string parameters_text(const std::vector<Parameter>& table);

}  // namespace gilscope
