#include "userspace/subject/mapped_object.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>

#include "userspace/base/below.h"
#include "userspace/base/file_io.h"
#include "userspace/base/quote.h"

namespace gilscope {
namespace {

// Nothing is read beyond that; no interpreter comes near it.
constexpr int64_t kLargestFile = int64_t{2} << 30;

// The kernel's own link to the mapped file, which is right even where the file has been deleted or
// replaced. To follow it takes CAP_SYS_ADMIN or CAP_CHECKPOINT_RESTORE.
Fd open_by_mapping(const ProcessMemory& process, const MappedRange& range) {
  const std::string link = fmt::format("map_files/{:x}-{:x}", range.start, range.end);
  const Fd found(::openat(process.directory(), link.c_str(), O_PATH | O_CLOEXEC));
  struct stat status {};
  if (!found || ::fstat(found.get(), &status) != 0 || !S_ISREG(status.st_mode)) return {};
  // Only now is it known that to open it has no effect of its own.
  return Fd(::open(fmt::format("/proc/self/fd/{}", found.get()).c_str(), O_RDONLY | O_CLOEXEC));
}

bool is_mapped_there(const Fd& file, const MappedRange& range) {
  struct stat status {};
  return file && ::fstat(file.get(), &status) == 0 && S_ISREG(status.st_mode) &&
         status.st_dev == range.device && status.st_ino == range.inode;
}

}  // namespace

std::optional<uint64_t> MappedObject::address_of(std::string_view symbol) const {
  const ElfSymbol* found = elf.symbol(symbol);
  if (!found) return std::nullopt;
  return found->value + moved_by;
}

bool MappedObject::is_in_data(uint64_t address) const {
  return std::ranges::any_of(data, [&](const MappedRange& r) { return r.has(address); });
}

std::vector<MappedObject> mapped_objects(const ProcessMemory& process) {
  std::vector<MappedObject> objects;
  const std::vector<MappedRange>& maps = process.maps();
  for (size_t i = 0; i < maps.size(); ++i) {
    const MappedRange& range = maps[i];
    if (!range.of_file()) continue;
    auto object = std::ranges::find_if(objects, [&](const MappedObject& other) {
      return other.ranges.front().inode == range.inode &&
             other.ranges.front().device == range.device && other.path == range.path;
    });
    if (object == objects.end()) {
      objects.push_back({range.path, {}, {}, {}, 0});
      object = std::prev(objects.end());
    }
    object->ranges.push_back(range);
    if (!range.writable || !range.readable) continue;
    object->data.push_back(range);
    if (i + 1 < maps.size() && maps[i + 1].start == range.end && maps[i + 1].path.empty() &&
        maps[i + 1].writable) {
      object->data.push_back(maps[i + 1]);
    }
  }
  return objects;
}

Result<Fd> open_mapped_file(const ProcessMemory& process, const MappedRange& range) {
  if (Fd file = open_by_mapping(process, range)) return file;
  if (range.path == process.executable()) {
    Fd file(::openat(process.directory(), "exe", O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (is_mapped_there(file, range)) return file;
  }
  const Fd root(::openat(process.directory(), "root", O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root) return fail_errno("cannot open the root directory of the process");
  auto file = open_below(root.get(), range.path.substr(1), range.path);
  if (!file) return file;
  if (!is_mapped_there(*file, range)) {
    return fail(
        fmt::format("{} is no longer the file that the process runs", in_quotes(range.path)));
  }
  return file;
}

Status read_object(const ProcessMemory& process, MappedObject& object,
                   std::span<const std::string_view> wanted) {
  const MappedRange& first = object.ranges.front();
  const auto file = open_mapped_file(process, first);
  if (!file) return fail(file.error());
  struct stat status {};
  if (::fstat(file->get(), &status) != 0 || status.st_size > kLargestFile) {
    return fail(fmt::format("{} is too large to be looked into", in_quotes(object.path)));
  }
  const ReadFile read = [&](uint64_t offset, void* into, size_t bytes) {
    const auto got = read_at(file->get(), offset, into, bytes, "");
    return got && *got == bytes;
  };
  auto elf = read_elf(read, static_cast<uint64_t>(status.st_size), wanted);
  if (!elf) return fail(fmt::format("{} {}", in_quotes(object.path), elf.error().message));
  object.elf = std::move(*elf);
  object.moved_by = object.elf.moved_by(first.offset, first.start);
  return {};
}

}  // namespace gilscope
