// A hidden directory in which a report is assembled before it gets its name. The destructor removes
// it with everything left in it.
#pragma once

#include <set>
#include <string>
#include <string_view>

#include "userspace/base/fd.h"
#include "userspace/base/result.h"

namespace gilscope {

class Staging {
 public:
  static constexpr const char* kName = ".merging";

  // Creates it in the directory `parent`, which must be locked, so that a directory of this name
  // can only be a killed process's and is removed.
  static Result<Staging> begin(int parent, const std::string& parent_path);

  Staging(Staging&& other) noexcept;
  Staging& operator=(Staging&&) = delete;
  ~Staging();

  int fd() const { return directory_.get(); }
  std::string path() const { return parent_path_ + "/" + kName; }

  // Each writes a new file and its parent directories, and syncs it. copy() fails if `from` becomes
  // shorter meanwhile.
  Status put(const std::string& name, std::string_view text);
  Status copy(const std::string& name, int from, const std::string& origin);

  // Renames the whole directory to `name` in its parent; `name` must not exist.
  Status rename_to(const std::string& name);
  // Moves one file to the same name below `to`, creating parent directories and replacing any file
  // of that name.
  Status move(const std::string& name, int to, const std::string& to_path);

 private:
  Staging() = default;
  Result<Fd> create(const std::string& name);

  int parent_ = -1;
  std::string parent_path_;
  Fd directory_;
  bool renamed_ = false;
  std::set<std::string> directories_;  // created in it
};

}  // namespace gilscope
