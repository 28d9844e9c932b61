// A file that is there whole or not at all: written under a temporary name in the same directory,
// synced, renamed. A reader sees the old file or the new one.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "userspace/util/result.h"

namespace gilscope {

class OutputFile {
 public:
  // Refuses to replace a symbolic link or anything else that is no regular file.
  static Result<OutputFile> create(const std::string& path);

  OutputFile(OutputFile&&) noexcept;
  OutputFile& operator=(OutputFile&&) noexcept;
  ~OutputFile();  // what was not finished is gone

  Status write(std::string_view bytes);  // buffered
  // Everything is on the disk under its name when this has succeeded.
  Status finish();

 private:
  class Temporary;
  OutputFile();
  Status flush();

  std::string path_, name_, buffer_;
  std::unique_ptr<Temporary> temporary_;
};

}  // namespace gilscope
