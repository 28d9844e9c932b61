// A workload's parameters, in a table, and the reader of a text by that table. The table also makes
// the canonical text and the lines of `gilscope list`.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "userspace/base/result.h"
#include "userspace/base/term.h"

namespace gilscope {

struct Parameter {
  enum class Kind { count, duration, word, path };

  std::string key;
  Kind kind = Kind::count;
  std::optional<uint64_t> fallback;  // a count, or a duration in ns; empty: absent unless given
  uint64_t low = 0, high = INT64_MAX;
  std::vector<std::string> words = {};  // a word's choices; the first one is the fallback
  bool always = false;                  // in the canonical text even where it is the fallback
};

Parameter count_parameter(std::string key, uint64_t fallback, uint64_t low, uint64_t high,
                          bool always = false);
// For the key "seconds" a bare number counts seconds.
Parameter duration_parameter(std::string key, std::optional<uint64_t> fallback_ns, uint64_t low_ns,
                             uint64_t high_ns, bool always = false);
Parameter word_parameter(std::string key, std::vector<std::string> words, bool always = false);
// An absolute path without '..' and ','.
Parameter path_parameter(std::string key, std::string fallback);

// The values that one text gives.
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
