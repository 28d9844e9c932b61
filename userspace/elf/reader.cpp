// The part of libelf's interface that libbpf needs to read an object, for 64-bit files in this
// machine's byte order. It replaces libelf in a static program where libelf's archive cannot be
// linked: that of elfutils 0.192 lacks some of its own functions. scripts/find-static decides;
// <libelf.h> and <gelf.h> document each function.
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <bit>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>

// A section: a copy of its header, and a pointer to its bytes in the file's image.
struct Elf_Scn {
  size_t index;
  Elf64_Shdr header;
  Elf_Data data;
  bool readable;  // all of its bytes are within the file
};

struct Elf {
  const char* image = nullptr;
  size_t size = 0;
  bool mapped = false;
  Elf_Kind kind = ELF_K_NONE;
  int bits = ELFCLASSNONE;
  bool readable = false;  // 64 bits, our byte order, and all headers within the file
  Elf64_Ehdr header = {};
  std::unique_ptr<Elf_Scn[]> sections;
  size_t section_count = 0;
  size_t names = 0;  // index of the section that holds the sections' names
  size_t segment_count = 0;

  ~Elf() {
    if (mapped) ::munmap(const_cast<char*>(image), size);
  }
};

namespace {

constexpr int kOurByteOrder =
    std::endian::native == std::endian::little ? ELFDATA2LSB : ELFDATA2MSB;

thread_local const char* last_error = nullptr;

std::nullptr_t refuse(const char* why) {
  last_error = why;
  return nullptr;
}

bool within(uint64_t offset, uint64_t length, uint64_t size) {
  return offset <= size && length <= size - offset;
}

template <typename T>
bool copy_at(const char* from, uint64_t size, uint64_t offset, T& to) {
  if (!within(offset, sizeof(T), size)) return false;
  std::memcpy(&to, from + offset, sizeof(T));
  return true;
}

template <typename T>
T* copy_from(const Elf_Data* data, uint64_t offset, T* to) {
  if (data == nullptr || data->d_buf == nullptr) return refuse("no such data");
  if (!copy_at(static_cast<const char*>(data->d_buf), data->d_size, offset, *to)) {
    return refuse("offset out of range");
  }
  return to;
}

Elf_Type type_of(const Elf64_Shdr& header) {
  switch (header.sh_type) {
    case SHT_SYMTAB:
    case SHT_DYNSYM:
      return ELF_T_SYM;
    case SHT_REL:
      return ELF_T_REL;
    case SHT_RELA:
      return ELF_T_RELA;
    case SHT_DYNAMIC:
      return ELF_T_DYN;
    case SHT_NOTE:
      return header.sh_addralign == 8 ? ELF_T_NHDR8 : ELF_T_NHDR;
    case SHT_GNU_verdef:
      return ELF_T_VDEF;
    case SHT_GNU_verneed:
      return ELF_T_VNEED;
    case SHT_GNU_versym:
      return ELF_T_HALF;
    default:
      return ELF_T_BYTE;
  }
}

// Numbers that do not fit the file's header (of sections, of segments, and the index of the name
// section) are in the first section's header instead.
bool read_headers(Elf& elf) {
  if (!copy_at(elf.image, elf.size, 0, elf.header)) return false;
  const Elf64_Ehdr& header = elf.header;
  elf.segment_count = header.e_phnum;
  if (header.e_shoff == 0) return true;
  Elf64_Shdr first;
  if (header.e_shentsize != sizeof(first)) return false;
  if (!copy_at(elf.image, elf.size, header.e_shoff, first)) return false;
  elf.section_count = header.e_shnum != 0 ? header.e_shnum : first.sh_size;
  elf.names = header.e_shstrndx != SHN_XINDEX ? header.e_shstrndx : first.sh_link;
  if (header.e_phnum == PN_XNUM) elf.segment_count = first.sh_info;
  if (elf.section_count > (elf.size - header.e_shoff) / sizeof(first)) return false;
  elf.sections.reset(new (std::nothrow) Elf_Scn[elf.section_count]());
  if (!elf.sections) return false;
  for (size_t index = 0; index < elf.section_count; ++index) {
    Elf_Scn& section = elf.sections[index];
    section.index = index;
    copy_at(elf.image, elf.size, header.e_shoff + index * sizeof(first), section.header);
    const bool in_file = section.header.sh_type != SHT_NOBITS && section.header.sh_type != SHT_NULL;
    section.readable =
        !in_file || within(section.header.sh_offset, section.header.sh_size, elf.size);
    section.data = {};
    section.data.d_type = type_of(section.header);
    section.data.d_version = EV_CURRENT;
    section.data.d_size = index == 0 ? 0 : section.header.sh_size;
    section.data.d_align = section.header.sh_addralign;
    if (in_file && section.readable && section.header.sh_size != 0) {
      section.data.d_buf = const_cast<char*>(elf.image) + section.header.sh_offset;
    }
  }
  return true;
}

Elf* open_image(std::unique_ptr<Elf> elf) {
  if (elf->size >= EI_NIDENT && std::memcmp(elf->image, ELFMAG, SELFMAG) == 0) {
    elf->kind = ELF_K_ELF;
    elf->bits = elf->image[EI_CLASS];
    elf->readable =
        elf->bits == ELFCLASS64 && elf->image[EI_DATA] == kOurByteOrder && read_headers(*elf);
  }
  return elf.release();
}

Elf_Data* data_of(Elf_Scn* section, const Elf_Data* before) {
  if (section == nullptr || before != nullptr) return nullptr;  // a section has a single piece
  if (!section->readable) return refuse("a section extends beyond the end of the file");
  return &section->data;
}

}  // namespace

extern "C" {

unsigned int elf_version(unsigned int wanted) {
  return wanted == EV_NONE || wanted == EV_CURRENT ? EV_CURRENT : EV_NONE;
}

int elf_errno(void) {
  const int error = last_error != nullptr;
  last_error = nullptr;
  return error;
}

const char* elf_errmsg(int error) {
  if (error == 0 && last_error == nullptr) return nullptr;
  return last_error != nullptr ? last_error : "no error";
}

Elf* elf_memory(char* image, size_t size) {
  std::unique_ptr<Elf> elf(new (std::nothrow) Elf);
  if (!elf) return refuse("out of memory");
  elf->image = image;
  elf->size = size;
  return open_image(std::move(elf));
}

Elf* elf_begin(int file, Elf_Cmd command, Elf*) {
  if (command != ELF_C_READ && command != ELF_C_READ_MMAP) return refuse("files can only be read");
  struct stat status {};
  if (::fstat(file, &status) != 0) return refuse("the file cannot be read");
  std::unique_ptr<Elf> elf(new (std::nothrow) Elf);
  if (!elf) return refuse("out of memory");
  elf->size = static_cast<size_t>(status.st_size);
  if (elf->size != 0) {
    void* const image = ::mmap(nullptr, elf->size, PROT_READ, MAP_PRIVATE, file, 0);
    if (image == MAP_FAILED) return refuse("the file cannot be mapped");
    elf->image = static_cast<const char*>(image);
    elf->mapped = true;
  }
  return open_image(std::move(elf));
}

int elf_end(Elf* elf) {
  delete elf;
  return 0;
}

Elf_Kind elf_kind(Elf* elf) {
  return elf != nullptr ? elf->kind : ELF_K_NONE;
}

int gelf_getclass(Elf* elf) {
  return elf != nullptr ? elf->bits : ELFCLASSNONE;
}

Elf64_Ehdr* elf64_getehdr(Elf* elf) {
  if (elf == nullptr || !elf->readable)
    return refuse("not a complete ELF file of this machine's class and byte order");
  return &elf->header;
}

GElf_Ehdr* gelf_getehdr(Elf* elf, GElf_Ehdr* to) {
  const Elf64_Ehdr* const header = elf64_getehdr(elf);
  if (header == nullptr) return nullptr;
  *to = *header;
  return to;
}

int elf_getshdrnum(Elf* elf, size_t* to) {
  if (elf64_getehdr(elf) == nullptr) return -1;
  *to = elf->section_count;
  return 0;
}

int elf_getshdrstrndx(Elf* elf, size_t* to) {
  if (elf64_getehdr(elf) == nullptr) return -1;
  *to = elf->names;
  return 0;
}

int elf_getphdrnum(Elf* elf, size_t* to) {
  if (elf64_getehdr(elf) == nullptr) return -1;
  *to = elf->segment_count;
  return 0;
}

GElf_Phdr* gelf_getphdr(Elf* elf, int index, GElf_Phdr* to) {
  if (elf64_getehdr(elf) == nullptr) return nullptr;
  const auto number = static_cast<size_t>(index);
  if (index < 0 || number >= elf->segment_count || elf->header.e_phentsize != sizeof(*to) ||
      elf->header.e_phoff > elf->size ||
      !copy_at(elf->image, elf->size, elf->header.e_phoff + number * sizeof(*to), *to)) {
    return refuse("no such segment");
  }
  return to;
}

Elf_Scn* elf_getscn(Elf* elf, size_t index) {
  if (elf64_getehdr(elf) == nullptr) return nullptr;
  if (index >= elf->section_count) return refuse("no such section");
  return &elf->sections[index];
}

Elf_Scn* elf_nextscn(Elf* elf, Elf_Scn* before) {
  if (elf64_getehdr(elf) == nullptr) return nullptr;
  const size_t index = before != nullptr ? before->index + 1 : 1;
  return index < elf->section_count ? &elf->sections[index] : nullptr;
}

size_t elf_ndxscn(Elf_Scn* section) {
  return section != nullptr ? section->index : SHN_UNDEF;
}

Elf64_Shdr* elf64_getshdr(Elf_Scn* section) {
  return section != nullptr ? &section->header : refuse("no such section");
}

GElf_Shdr* gelf_getshdr(Elf_Scn* section, GElf_Shdr* to) {
  if (section == nullptr) return refuse("no such section");
  *to = section->header;
  return to;
}

Elf_Data* elf_getdata(Elf_Scn* section, Elf_Data* before) {
  return data_of(section, before);
}

Elf_Data* elf_rawdata(Elf_Scn* section, Elf_Data* before) {
  return data_of(section, before);
}

char* elf_strptr(Elf* elf, size_t index, size_t offset) {
  const Elf_Scn* const section = elf_getscn(elf, index);
  if (section == nullptr) return nullptr;
  if (section->header.sh_type != SHT_STRTAB) return refuse("not a string table");
  const Elf_Data& data = section->data;
  if (data.d_buf == nullptr || offset >= data.d_size) return refuse("offset out of range");
  char* const text = static_cast<char*>(data.d_buf) + offset;
  if (std::memchr(text, 0, data.d_size - offset) == nullptr) return refuse("unterminated string");
  return text;
}

GElf_Sym* gelf_getsym(Elf_Data* data, int index, GElf_Sym* to) {
  if (index < 0) return refuse("no such symbol");
  return copy_from(data, static_cast<uint64_t>(index) * sizeof(*to), to);
}

GElf_Versym* gelf_getversym(Elf_Data* data, int index, GElf_Versym* to) {
  if (index < 0) return refuse("no such version");
  return copy_from(data, static_cast<uint64_t>(index) * sizeof(*to), to);
}

GElf_Verdef* gelf_getverdef(Elf_Data* data, int offset, GElf_Verdef* to) {
  if (offset < 0) return refuse("no such version");
  return copy_from(data, static_cast<uint64_t>(offset), to);
}

GElf_Verdaux* gelf_getverdaux(Elf_Data* data, int offset, GElf_Verdaux* to) {
  if (offset < 0) return refuse("no such version");
  return copy_from(data, static_cast<uint64_t>(offset), to);
}

// Returns the offset after the note, or 0 if there is no note. Names and descriptions are padded.
size_t gelf_getnote(Elf_Data* data, size_t offset, GElf_Nhdr* to, size_t* name, size_t* text) {
  GElf_Nhdr note;
  if (data == nullptr || offset >= data->d_size || copy_from(data, offset, &note) == nullptr) {
    return 0;
  }
  const auto padded = [&](uint64_t at) {
    const uint64_t step = data->d_type == ELF_T_NHDR8 ? 8 : 4;
    return (at + step - 1) / step * step;
  };
  const uint64_t begin = offset + sizeof(note);
  const uint64_t description = padded(begin + note.n_namesz);
  if (!within(begin, note.n_namesz, data->d_size) ||
      !within(description, note.n_descsz, data->d_size)) {
    refuse("a note extends beyond its section");
    return 0;
  }
  *to = note;
  *name = begin;
  *text = description;
  const uint64_t next = padded(description + note.n_descsz);
  return next < data->d_size ? next : data->d_size;
}

}  // extern "C"
