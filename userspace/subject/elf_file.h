// A small reader of 64-bit ELF files: named symbols, segments and the build id. It trusts no file:
// every offset is checked, every loop and every piece of memory is bounded.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "userspace/base/result.h"

namespace gilscope {

// Reads all of `bytes` from `offset` of a file, or returns false.
using ReadFile = std::function<bool(uint64_t offset, void* into, size_t bytes)>;

struct ElfSymbol {
  uint64_t value = 0, size = 0;  // the address that the file was linked for
  bool function = false;
  std::vector<uint64_t> others = {};  // values of symbols that have the same name
};

struct ElfSegment {
  uint64_t offset = 0, address = 0, bytes = 0;  // of those that are loaded
};

struct ElfFile {
  std::vector<ElfSegment> segments;
  std::map<std::string, ElfSymbol, std::less<>> symbols;  // of the wanted ones, those that it has
  std::string build_id;                                   // in hexadecimal; empty: it has none
  bool stripped = true;                                   // it has no .symtab

  // By how much the file's addresses are moved where `file_offset` is mapped at `address`.
  uint64_t moved_by(uint64_t file_offset, uint64_t address) const;
  const ElfSymbol* symbol(std::string_view name) const;
};

// Symbols come from .symtab, where there is one, and from .dynsym.
Result<ElfFile> read_elf(const ReadFile& read, uint64_t file_bytes,
                         std::span<const std::string_view> wanted);

}  // namespace gilscope
