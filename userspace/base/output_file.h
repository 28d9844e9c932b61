// The file that a command was asked to write.
//
// A regular file appears whole or not at all: it is written under a temporary name in the same
// directory, synced and renamed, so a reader sees either the old file or the new one. Standard
// output, a FIFO or a device is written as the bytes come, without seeking; a failed write is still
// an error.
#pragma once

#include <sys/stat.h>

#include <memory>
#include <string>
#include <string_view>

#include "userspace/base/result.h"

namespace gilscope {

class OutputFile {
 public:
  // A regular file, whole or not at all. Refuses to replace a symbolic link or anything else that
  // is not a regular file.
  static Result<OutputFile> create(const std::string& path);
  // "-" is standard output; /dev/stdout, /dev/fd/3 and links to them are the descriptors that they
  // name; a FIFO or a character device is written in place. Anything else goes to create().
  static Result<OutputFile> open(const std::string& path);

  OutputFile(OutputFile&&) noexcept;
  OutputFile& operator=(OutputFile&&) noexcept;
  ~OutputFile();  // removes a regular file that was not finished

  // "standard output", or the path.
  const std::string& shown() const { return shown_; }
  bool is_standard_output() const;
  bool is_terminal() const;
  // Whether this writes into `file` or will replace it.
  bool is(const struct stat& file) const;

  Status write(std::string_view bytes);  // buffered
  // On success, all data has been delivered; a regular file is on disk under its own name.
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
