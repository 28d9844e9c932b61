// Small readers of a machine's /proc, /sys and /etc, below a root that tests may replace. None
// throws; an error's message is fit to be the reason of a null fact.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "userspace/base/result.h"

namespace gilscope {

class Machine {
 public:
  explicit Machine(std::string root = "");

  // A file's text without trailing white space. `path` is absolute, as on the machine itself.
  Result<std::string> text(const std::string& path) const;
  // A file's bytes, unchanged.
  Result<std::string> bytes(const std::string& path) const;
  // A file's first line.
  Result<std::string> line(const std::string& path) const;
  Result<int64_t> number(const std::string& path) const;
  // The text of a file, which may be compressed by gzip.
  Result<std::string> unzipped(const std::string& path) const;
  Result<std::string> link(const std::string& path) const;
  // The names in a directory that start with `prefix`, sorted.
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
