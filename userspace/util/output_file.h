// Where a command writes what it was asked to make.
//
// A regular file is there whole or not at all: written under a temporary name in the same
// directory, synced, renamed. A reader sees the old file or the new one. Standard output, a FIFO
// or a device has no such moment: it is written as the bytes come, never sought in, and a write
// that fails is an error all the same.
#pragma once

#include <sys/stat.h>

#include <memory>
#include <string>
#include <string_view>

#include "userspace/util/result.h"

namespace gilscope {

class OutputFile {
 public:
  // A regular file, whole or not at all. Refuses to replace a symbolic link or anything else that
  // is no regular file.
  static Result<OutputFile> create(const std::string& path);
  // "-" is standard output; /dev/stdout, /dev/fd/3 and what leads to them are the descriptors that
  // they name; a FIFO or a character device is written where it is. Anything else as create() does.
  static Result<OutputFile> open(const std::string& path);

  OutputFile(OutputFile&&) noexcept;
  OutputFile& operator=(OutputFile&&) noexcept;
  ~OutputFile();  // a regular file that was not finished is gone

  // "standard output", or the path.
  const std::string& shown() const { return shown_; }
  bool is_standard_output() const;
  bool is_terminal() const;
  // Whether this would write into `file` or replace it.
  bool is(const struct stat& file) const;

  Status write(std::string_view bytes);  // buffered
  // All of it is where it was to go when this has succeeded: a regular file is on the disk under
  // its name.
  Status finish();

 private:
  class Place;
  class Temporary;
  class Stream;

  OutputFile(std::unique_ptr<Place> place, std::string shown, std::string failure);
  Status flush();

  std::unique_ptr<Place> place_;
  std::string shown_, failure_, buffer_;
};

}  // namespace gilscope
