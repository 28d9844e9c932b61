// The reader of ELF files that belong to a traced process, on files that are right and that are
// not.
#include <elf.h>
#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <string>

#include "userspace/subject/elf_file.h"

namespace gilscope {
namespace {

using namespace std::string_literals;

constexpr std::string_view kWanted[] = {"_PyRuntime", "gil_cond", "versioned", "undefined", "tls"};

template <typename T>
void append(std::string& file, const T& value) {
  file.append(reinterpret_cast<const char*>(&value), sizeof value);
}

Elf64_Sym symbol(uint32_t name, uint64_t value, uint64_t size, uint8_t type = STT_OBJECT,
                 uint16_t section = 1) {
  Elf64_Sym made{};
  made.st_name = name;
  made.st_info = ELF64_ST_INFO(STB_GLOBAL, type);
  made.st_shndx = section;
  made.st_value = value;
  made.st_size = size;
  return made;
}

// A library with two segments, a build id, a .dynsym and a .symtab.
std::string library() {
  std::string file(sizeof(Elf64_Ehdr), '\0');
  Elf64_Ehdr header{};
  std::copy_n(ELFMAG, SELFMAG, header.e_ident);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_type = ET_DYN;
  header.e_machine = EM_X86_64;
  header.e_phoff = file.size();
  header.e_phentsize = sizeof(Elf64_Phdr);
  header.e_phnum = 3;
  Elf64_Phdr text{}, data{}, note{};
  text.p_type = data.p_type = PT_LOAD;
  text.p_filesz = 0x800;
  data.p_offset = 0x1d00;
  data.p_vaddr = 0x2d00;
  data.p_filesz = 0x400;
  note.p_type = PT_NOTE;
  note.p_offset = header.e_phoff + 3 * sizeof(Elf64_Phdr);
  const std::string id = {1, 2, 3, '\xff'};
  note.p_filesz = sizeof(Elf64_Nhdr) + 4 + id.size();
  append(file, text);
  append(file, data);
  append(file, note);
  append(file, Elf64_Nhdr{4, static_cast<uint32_t>(id.size()), NT_GNU_BUILD_ID});
  file += std::string("GNU\0", 4) + id;
  const std::string names = "\0_PyRuntime\0gil_cond\0versioned@@V1\0undefined\0tls\0"s;
  Elf64_Shdr none{}, strings{}, dynamic{}, all{};
  strings.sh_type = SHT_STRTAB;
  strings.sh_offset = file.size();
  strings.sh_size = names.size();
  file += names;
  dynamic.sh_type = SHT_DYNSYM;
  dynamic.sh_link = all.sh_link = 1;
  dynamic.sh_offset = file.size();
  dynamic.sh_size = 3 * sizeof(Elf64_Sym);
  append(file, Elf64_Sym{});
  append(file, symbol(1, 0x1000, 600));
  append(file, symbol(35, 0, 0, STT_OBJECT, SHN_UNDEF));
  all.sh_type = SHT_SYMTAB;
  all.sh_offset = file.size();
  all.sh_size = 3 * sizeof(Elf64_Sym);
  append(file, symbol(12, 0x2000, 48));
  append(file, symbol(21, 0x3000, 8));
  append(file, symbol(45, 0x10, 8, STT_TLS));
  header.e_shoff = file.size();
  header.e_shentsize = sizeof(Elf64_Shdr);
  header.e_shnum = 4;
  for (const Elf64_Shdr& section : {none, strings, dynamic, all}) append(file, section);
  std::memcpy(file.data(), &header, sizeof header);
  return file;
}

Result<ElfFile> read(const std::string& file) {
  return read_elf(
      [&](uint64_t offset, void* into, size_t bytes) {
        if (offset > file.size() || bytes > file.size() - offset) return false;
        std::memcpy(into, file.data() + offset, bytes);
        return true;
      },
      file.size(), kWanted);
}

TEST(ElfFile, HasItsSymbolsAndBuildId) {
  const auto elf = read(library());
  ASSERT_TRUE(elf) << elf.error().message;
  EXPECT_EQ(elf->build_id, "010203ff");
  ASSERT_TRUE(elf->symbol("_PyRuntime"));
  EXPECT_EQ(elf->symbol("_PyRuntime")->value, 0x1000U);
  EXPECT_EQ(elf->symbol("_PyRuntime")->size, 600U);
  EXPECT_EQ(elf->symbol("gil_cond")->value, 0x2000U);
  EXPECT_EQ(elf->symbol("versioned")->value, 0x3000U);
  EXPECT_FALSE(elf->symbol("undefined"));
  EXPECT_FALSE(elf->symbol("tls"));
}

TEST(ElfFile, IsMovedByWhatItsMappingSays) {
  const auto elf = read(library());
  ASSERT_TRUE(elf);
  // The text, linked for 0.
  EXPECT_EQ(elf->moved_by(0, 0x7f0000000000), 0x7f0000000000U);
  // The data's mapping begins at the page before it.
  EXPECT_EQ(elf->moved_by(0x1000, 0x7f0000002000), 0x7f0000000000U);
}

TEST(ElfFile, IsRefusedWhereItIsNone) {
  EXPECT_FALSE(read(""));
  EXPECT_FALSE(read("#!/bin/sh\n"));
  std::string other = library();
  other[EI_CLASS] = ELFCLASS32;
  EXPECT_FALSE(read(other));
  other = library();
  other[EI_DATA] = ELFDATA2MSB;
  EXPECT_FALSE(read(other));
  other = library();
  other[offsetof(Elf64_Ehdr, e_type)] = ET_CORE;
  EXPECT_FALSE(read(other));
}

TEST(ElfFile, HasNoBuildIdThatIsLongerThanItsNote) {
  std::string file = library();
  const uint32_t bytes = 60;
  std::memcpy(
      file.data() + sizeof(Elf64_Ehdr) + 3 * sizeof(Elf64_Phdr) + offsetof(Elf64_Nhdr, n_descsz),
      &bytes, sizeof bytes);
  const auto elf = read(file);
  ASSERT_TRUE(elf);
  EXPECT_EQ(elf->build_id, "");
}

TEST(ElfFile, SurvivesEveryTruncation) {
  const std::string file = library();
  for (size_t end = 0; end < file.size(); ++end) {
    const auto elf = read(file.substr(0, end));
    if (elf) EXPECT_EQ(elf->symbol("undefined"), nullptr);
  }
}

// As a fuzzer would: under the sanitizers, nothing may be read out of bounds, and no table may cost
// more memory than the file has.
TEST(ElfFile, SurvivesAnythingInItsPlace) {
  const std::string file = library();
  std::mt19937_64 random(2);
  for (int i = 0; i < 30'000; ++i) {
    std::string other = file;
    for (uint64_t flips = 1 + random() % 8; flips > 0; --flips) {
      const size_t at = random() % other.size();
      // A whole word at times: lengths and offsets that are far too large.
      if (random() % 4 == 0 && at + 8 <= other.size()) {
        const uint64_t word = random() >> random() % 64;
        std::memcpy(other.data() + at, &word, sizeof word);
      } else {
        other[at] = static_cast<char>(random());
      }
    }
    const auto elf = read(other);
    if (!elf) continue;
    for (const auto& [name, each] : elf->symbols) EXPECT_LE(name.size(), 10U);
    elf->moved_by(0x1000, 0x7f0000000000);
  }
}

}  // namespace
}  // namespace gilscope
