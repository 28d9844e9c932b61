// A hidden directory in which a report is put together before it gets its name. What was left in it
// is gone when it is.
#pragma once

#include <set>
#include <string>
#include <string_view>

#include "userspace/util/fd.h"
#include "userspace/util/result.h"

namespace gilscope {

class Staging {
 public:
  static constexpr const char* kName = ".merging";

  // In the directory `parent`, which is open and locked, so that what a killed process has left
  // there under this name is nobody's.
  static Result<Staging> begin(int parent, const std::string& parent_path);

  Staging(Staging&& other) noexcept;
  Staging& operator=(Staging&&) = delete;
  ~Staging();

  int fd() const { return directory_.get(); }
  std::string path() const { return parent_path_ + "/" + kName; }

  // Each makes a new file, with the directories on the way, and has it on the disk. A copy that
  // turns out shorter than `from` was at its beginning is an error.
  Status put(const std::string& name, std::string_view text);
  Status copy(const std::string& name, int from, const std::string& origin);

  // All of it under the name `name` of the parent, which must not be there.
  Status rename_to(const std::string& name);
  // One file to the same name below `to`, with the directories on the way; what is there under that
  // name is replaced.
  Status move(const std::string& name, int to, const std::string& to_path);

 private:
  Staging() = default;
  Result<Fd> create(const std::string& name);

  int parent_ = -1;
  std::string parent_path_;
  Fd directory_;
  bool renamed_ = false;
  std::set<std::string> directories_;  // that were made in it
};

}  // namespace gilscope
