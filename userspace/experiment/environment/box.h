// Small readers of a box's /proc, /sys and /etc, below a root that tests can bring their own of.
// None throws; what cannot be read says why, in words fit for a null fact.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "userspace/util/result.h"

namespace gilscope {

class Box {
 public:
  explicit Box(std::string root = "");

  // A file's text without the white space at its end. `path` is absolute, as on the box itself.
  Result<std::string> text(const std::string& path) const;
  // All of its bytes, whatever they are.
  Result<std::string> bytes(const std::string& path) const;
  // The first line only.
  Result<std::string> line(const std::string& path) const;
  Result<int64_t> number(const std::string& path) const;
  // A plain file, or one compressed by gzip.
  Result<std::string> unzipped(const std::string& path) const;
  Result<std::string> link(const std::string& path) const;
  // Names in a directory, sorted; those that start with `prefix`.
  Result<std::vector<std::string>> names(const std::string& path,
                                         std::string_view prefix = "") const;
  bool exists(const std::string& path) const;

  std::string at(const std::string& path) const { return root_ + path; }

 private:
  std::string root_;
};

std::string_view trimmed(std::string_view text);
std::optional<int64_t> to_number(std::string_view text);
std::vector<std::string> words(std::string_view text);
std::vector<std::string> lines(std::string_view text);

// The value of a "key : value" or "key=value" line.
std::optional<std::string> value_of(std::string_view text, std::string_view key,
                                    char separator = ':');

}  // namespace gilscope
