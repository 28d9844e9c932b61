#include "userspace/subject/elf_file.h"

#include <elf.h>

#include <algorithm>
#include <cstring>
#include <optional>

namespace gilscope {
namespace {

constexpr size_t kMostSections = 1 << 14;
constexpr size_t kMostSegments = 256;
constexpr uint64_t kMostSymbols = 1 << 22;
constexpr uint64_t kMostNames = uint64_t{128} << 20;
constexpr uint64_t kMostNotes = 1 << 16;
constexpr size_t kSymbolsAtOnce = 4096;
constexpr size_t kMostOthers = 8;
constexpr uint64_t kPage = 4096;

class Reader {
 public:
  Reader(const ReadFile& read, uint64_t bytes) : read_(read), bytes_(bytes) {}

  bool has(uint64_t offset, uint64_t bytes) const {
    return offset <= bytes_ && bytes <= bytes_ - offset;
  }
  template <typename T>
  std::optional<std::vector<T>> array(uint64_t offset, uint64_t count) const {
    if (count > bytes_ / sizeof(T) || !has(offset, count * sizeof(T))) return std::nullopt;
    std::vector<T> items(count);
    if (count > 0 && !read_(offset, items.data(), count * sizeof(T))) return std::nullopt;
    return items;
  }

 private:
  const ReadFile& read_;
  uint64_t bytes_;
};

std::optional<Elf64_Ehdr> read_header(const Reader& reader) {
  const auto header = reader.array<Elf64_Ehdr>(0, 1);
  if (!header) return std::nullopt;
  const Elf64_Ehdr& first = header->front();
  const bool known =
      std::memcmp(first.e_ident, ELFMAG, SELFMAG) == 0 && first.e_ident[EI_CLASS] == ELFCLASS64 &&
      first.e_ident[EI_DATA] == ELFDATA2LSB && (first.e_type == ET_EXEC || first.e_type == ET_DYN);
  return known ? std::optional(first) : std::nullopt;
}

// A note is {bytes of its name, bytes of its text, kind}, name and text, each filled up to 4 bytes.
std::string build_id_in(const Reader& reader, uint64_t offset, uint64_t bytes) {
  const auto notes = reader.array<uint8_t>(offset, std::min(bytes, kMostNotes));
  if (!notes) return "";
  const auto padded = [](uint64_t length) { return (length + 3) & ~uint64_t{3}; };
  for (uint64_t at = 0; notes->size() - at >= sizeof(Elf64_Nhdr);) {
    Elf64_Nhdr note;
    std::copy_n(notes->data() + at, sizeof note, reinterpret_cast<uint8_t*>(&note));
    const uint64_t name = at + sizeof note;
    const uint64_t text = name + padded(note.n_namesz);
    const uint64_t end = text + padded(note.n_descsz);
    if (text + note.n_descsz > notes->size()) return "";
    const std::string_view owner(reinterpret_cast<const char*>(notes->data() + name),
                                 note.n_namesz);
    if (note.n_type == NT_GNU_BUILD_ID && owner == std::string_view("GNU\0", 4) &&
        note.n_descsz <= 64) {
      std::string id;
      for (uint64_t i = 0; i < note.n_descsz; ++i) id += fmt::format("{:02x}", (*notes)[text + i]);
      return id;
    }
    if (end > notes->size()) return "";
    at = end;
  }
  return "";
}

// The name that begins there, up to its version: "name@VERSION".
std::string_view name_at(const std::vector<char>& names, uint64_t at) {
  if (at >= names.size()) return {};
  const auto begin = names.begin() + static_cast<ptrdiff_t>(at);
  const auto end = std::find_if(begin, names.end(), [](char c) { return c == '\0' || c == '@'; });
  return end == names.end() ? std::string_view() : std::string_view(begin, end);
}

void read_symbols(const Reader& reader, const Elf64_Shdr& table, const Elf64_Shdr& strings,
                  std::span<const std::string_view> wanted, ElfFile& file) {
  if (strings.sh_size > kMostNames) return;
  const auto names = reader.array<char>(strings.sh_offset, strings.sh_size);
  if (!names) return;
  const uint64_t count = std::min(table.sh_size / sizeof(Elf64_Sym), kMostSymbols);
  for (uint64_t done = 0; done < count; done += kSymbolsAtOnce) {
    const auto piece = reader.array<Elf64_Sym>(table.sh_offset + done * sizeof(Elf64_Sym),
                                               std::min<uint64_t>(kSymbolsAtOnce, count - done));
    if (!piece) return;
    for (const Elf64_Sym& symbol : *piece) {
      if (symbol.st_shndx == SHN_UNDEF || ELF64_ST_TYPE(symbol.st_info) == STT_TLS) continue;
      const std::string_view name = name_at(*names, symbol.st_name);
      if (name.empty() || std::ranges::find(wanted, name) == wanted.end()) continue;
      const unsigned type = ELF64_ST_TYPE(symbol.st_info);
      const auto [known, added] = file.symbols.try_emplace(
          std::string(name),
          ElfSymbol{symbol.st_value, symbol.st_size, type == STT_FUNC || type == STT_GNU_IFUNC});
      std::vector<uint64_t>& others = known->second.others;
      if (added || known->second.value == symbol.st_value || others.size() == kMostOthers ||
          std::ranges::find(others, symbol.st_value) != others.end()) {
        continue;
      }
      others.push_back(symbol.st_value);
    }
  }
}

}  // namespace

uint64_t ElfFile::moved_by(uint64_t file_offset, uint64_t address) const {
  // A mapping begins at the page in which its segment does.
  for (const ElfSegment& segment : segments) {
    const uint64_t first = segment.offset & ~(kPage - 1);
    if (file_offset >= first && file_offset < segment.offset + std::max(segment.bytes, kPage)) {
      return address - (segment.address - segment.offset + file_offset);
    }
  }
  return address - file_offset;
}

const ElfSymbol* ElfFile::symbol(std::string_view name) const {
  const auto found = symbols.find(name);
  return found == symbols.end() ? nullptr : &found->second;
}

Result<ElfFile> read_elf(const ReadFile& read, uint64_t file_bytes,
                         std::span<const std::string_view> wanted) {
  const Reader reader(read, file_bytes);
  const auto header = read_header(reader);
  if (!header) return fail("is no 64-bit ELF program or library");
  ElfFile file;
  const auto segments =
      header->e_phentsize == sizeof(Elf64_Phdr) && header->e_phnum <= kMostSegments
          ? reader.array<Elf64_Phdr>(header->e_phoff, header->e_phnum)
          : std::nullopt;
  if (!segments) return fail("has no table of segments that can be read");
  for (const Elf64_Phdr& segment : *segments) {
    if (segment.p_type == PT_LOAD) {
      file.segments.push_back({segment.p_offset, segment.p_vaddr, segment.p_filesz});
    } else if (segment.p_type == PT_NOTE && file.build_id.empty()) {
      file.build_id = build_id_in(reader, segment.p_offset, segment.p_filesz);
    }
  }
  // A file may be stripped of the table of its sections: it then has no symbols to be found.
  const auto sections =
      header->e_shentsize == sizeof(Elf64_Shdr) && header->e_shnum <= kMostSections
          ? reader.array<Elf64_Shdr>(header->e_shoff, header->e_shnum)
          : std::nullopt;
  if (!sections) return file;
  for (const uint32_t kind : {SHT_SYMTAB, SHT_DYNSYM}) {
    for (const Elf64_Shdr& section : *sections) {
      if (section.sh_type != kind || section.sh_link >= sections->size()) continue;
      if (kind == SHT_SYMTAB) file.stripped = false;
      read_symbols(reader, section, (*sections)[section.sh_link], wanted, file);
    }
  }
  return file;
}

}  // namespace gilscope
