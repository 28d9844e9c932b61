#include "tests/interpreters/symbols.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gelf.h>
#include <libelf.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>

#include "userspace/base/fd.h"

namespace gilscope::witness {
namespace {

struct EndElf {
  void operator()(Elf* elf) const { elf_end(elf); }
};

constexpr GElf_Versym kHidden = 0x8000;  // not the default version

std::optional<uint64_t> file_offset(Elf* elf, uint64_t address) {
  size_t count = 0;
  elf_getphdrnum(elf, &count);
  for (size_t i = 0; i < count; ++i) {
    GElf_Phdr segment;
    if (!gelf_getphdr(elf, static_cast<int>(i), &segment) || segment.p_type != PT_LOAD) continue;
    if (address >= segment.p_vaddr && address < segment.p_vaddr + segment.p_filesz) {
      return address - segment.p_vaddr + segment.p_offset;
    }
  }
  return std::nullopt;
}

std::optional<uint64_t> address_in(Elf* elf, const std::string& name) {
  std::optional<uint64_t> address;
  Elf_Data* versions = nullptr;
  for (Elf_Scn* section = nullptr; (section = elf_nextscn(elf, section));) {
    GElf_Shdr header;
    if (gelf_getshdr(section, &header) && header.sh_type == SHT_GNU_versym) {
      versions = elf_getdata(section, nullptr);
    }
  }
  for (Elf_Scn* section = nullptr; (section = elf_nextscn(elf, section));) {
    GElf_Shdr header;
    if (!gelf_getshdr(section, &header)) continue;
    if (header.sh_type != SHT_SYMTAB && header.sh_type != SHT_DYNSYM) continue;
    Elf_Data* data = elf_getdata(section, nullptr);
    const size_t count = header.sh_entsize ? header.sh_size / header.sh_entsize : 0;
    for (size_t i = 0; data && i < count; ++i) {
      GElf_Sym symbol;
      if (!gelf_getsym(data, static_cast<int>(i), &symbol) || symbol.st_shndx == SHN_UNDEF)
        continue;
      const char* its_name = elf_strptr(elf, header.sh_link, symbol.st_name);
      if (!its_name || name != its_name) continue;
      GElf_Versym version = 0;
      if (header.sh_type == SHT_DYNSYM && versions) {
        gelf_getversym(versions, static_cast<int>(i), &version);
      }
      if (!address || !(version & kHidden)) address = symbol.st_value;
    }
  }
  return address;
}

// The files that the process executes: their paths, and names by which they can be opened here. The
// paths may be those of another root or of another mount namespace.
std::map<std::string, std::string> executed_files(pid_t pid) {
  std::map<std::string, std::string> files;
  std::ifstream maps(fmt::format("/proc/{}/maps", pid));
  for (std::string line; std::getline(maps, line);) {
    std::istringstream words(line);
    std::string range, rights, offset, device, inode, path;
    words >> range >> rights >> offset >> device >> inode >> path;
    if (rights.find('x') == std::string::npos || !path.starts_with('/')) continue;
    // Addresses have no leading zeros there.
    const uint64_t from = std::strtoull(range.c_str(), nullptr, 16);
    const uint64_t to = std::strtoull(range.c_str() + range.find('-') + 1, nullptr, 16);
    files.emplace(path, fmt::format("/proc/{}/map_files/{:x}-{:x}", pid, from, to));
  }
  return files;
}

}  // namespace

std::optional<Function> function_of(pid_t pid, const std::string& name) {
  elf_version(EV_CURRENT);
  std::optional<Function> found;
  for (const auto& [path, mapped] : executed_files(pid)) {
    const Fd file(::open(mapped.c_str(), O_RDONLY | O_CLOEXEC));
    if (file.get() < 0) continue;
    const std::unique_ptr<Elf, EndElf> elf(elf_begin(file.get(), ELF_C_READ, nullptr));
    if (!elf || elf_kind(elf.get()) != ELF_K_ELF) continue;
    const auto address = address_in(elf.get(), name);
    if (!address) continue;
    const auto offset = file_offset(elf.get(), *address);
    if (!offset) continue;
    // Up to 2.33 glibc's libc has stubs of functions that libpthread has.
    if (!found || path.find("libpthread") != std::string::npos) found = Function{mapped, *offset};
  }
  return found;
}

}  // namespace gilscope::witness
