// A program or library that is mapped into a process.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "userspace/base/fd.h"
#include "userspace/base/result.h"
#include "userspace/subject/elf_file.h"
#include "userspace/subject/process_memory.h"

namespace gilscope {

struct MappedObject {
  std::string path;  // as the process sees it
  std::vector<MappedRange> ranges;
  // Its data, and the memory without a file behind it, which is its .bss.
  std::vector<MappedRange> data;
  ElfFile elf;
  uint64_t moved_by = 0;

  uint64_t start() const { return ranges.front().start; }
  // Where the process has the symbol; empty: the file does not define it.
  std::optional<uint64_t> address_of(std::string_view symbol) const;
  bool is_in_data(uint64_t address) const;
};

// The files that are mapped, each once, in the order of their addresses; without their ELF part.
std::vector<MappedObject> mapped_objects(const ProcessMemory& process);

// Opens the very file that is mapped there, not another that has its name now.
Result<Fd> open_mapped_file(const ProcessMemory& process, const MappedRange& range);

// Fills in the ELF part.
Status read_object(const ProcessMemory& process, MappedObject& object,
                   std::span<const std::string_view> wanted);

}  // namespace gilscope
