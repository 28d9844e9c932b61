// The mappings of a process, as /proc/PID/maps lists them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gilscope {

struct MappedRange {
  uint64_t start = 0, end = 0;
  uint64_t offset = 0;  // in the file
  uint64_t device = 0;  // as in st_dev; 0 for memory without a file
  uint64_t inode = 0;
  bool readable = false, writable = false, executable = false;
  std::string path;  // as the process sees it, without " (deleted)"; "[heap]"; empty: none

  bool of_file() const { return inode != 0 && path.starts_with('/'); }
  bool has(uint64_t address) const { return address >= start && address < end; }
};

// Lines that are not of that form are left out. A line feed in a path is "\012" there.
std::vector<MappedRange> parse_maps(std::string_view text);

}  // namespace gilscope
