#include "userspace/subject/lock_symbol.h"

#include <algorithm>
#include <array>
#include <vector>

#include "userspace/base/quote.h"
#include "userspace/subject/names.h"

namespace gilscope {
namespace {

bool is_named(const MappedObject& object, std::string_view name) {
  return object.path == name || base_name(object.path) == name;
}

bool is_executed(const MappedObject& object) {
  return std::ranges::any_of(object.ranges, &MappedRange::executable);
}

Error not_there(const ProcessMemory& process, std::span<const MappedObject* const> searched,
                const LockName& name) {
  const std::string shown = shown_process(process.pid(), process.executable());
  if (searched.empty()) {
    return {Exit::error, fmt::format("{} has no object {}: give its path, or its last part", shown,
                                     in_quotes(name.object))};
  }
  const auto stripped = std::ranges::find_if(searched, [&](const MappedObject* object) {
    return object->elf.stripped && (!name.object.empty() || object->path == process.executable());
  });
  const std::string where = name.object.empty() ? "no object" : in_quotes(searched[0]->path);
  std::string text = fmt::format("{} of {} has {}symbol {}", where, shown,
                                 name.object.empty() ? "a " : "no ", in_quotes(name.symbol));
  if (stripped != searched.end()) {
    text += fmt::format("; {} is stripped of its own symbols, so give {}@0xADDRESS or mutex:auto",
                        in_quotes((*stripped)->path), name.kind);
  }
  return {Exit::error, text};
}

// "mutex@/usr/lib/a.so:lock or mutex@/usr/lib/b.so:lock"
Error there_twice(const LockName& name, std::span<const FoundSymbol> found) {
  const bool one_object = std::ranges::all_of(
      found, [&](const FoundSymbol& other) { return other.object == found[0].object; });
  std::string ways;
  for (size_t i = 0; i < found.size(); ++i) {
    if (i > 0) ways += i + 1 == found.size() ? " or " : ", ";
    ways += one_object ? fmt::format("{}@{:#x}", name.kind, found[i].address)
                       : fmt::format("{}@{}:{}", name.kind, printable(found[i].object),
                                     printable(name.symbol));
  }
  return {Exit::error,
          fmt::format("the symbol {} is there {} times{}: give {}", in_quotes(name.symbol),
                      found.size(),
                      one_object ? fmt::format(" in {}", in_quotes(found[0].object)) : "", ways)};
}

Status check(const ProcessMemory& process, const MappedObject& object, const ElfSymbol& symbol,
             const LockName& name) {
  const std::string shown =
      fmt::format("the symbol {} of {}", in_quotes(name.symbol), in_quotes(object.path));
  if (symbol.function) return fail(fmt::format("{} is a function, and no lock", shown));
  if (symbol.size == 0) return {};
  if (symbol.size == 8 && name.offset == 0) {
    const auto target = process.get<uint64_t>(symbol.value + object.moved_by);
    if (target && *target != 0 && process.range_at(*target)) {
      return fail(
          fmt::format("{} is a pointer, and a {} has {} bytes: try {}@{:#x}, to which it "
                      "points",
                      shown, name.type(), name.bytes(), name.kind, *target));
    }
  }
  if (name.offset + name.bytes() > symbol.size) {
    return fail(fmt::format("{} has {} bytes, and a {} at offset {} needs {}", shown, symbol.size,
                            name.type(), name.offset, name.offset + name.bytes()));
  }
  return {};
}

}  // namespace

Result<FoundSymbol> find_lock_symbol(const ProcessMemory& process, std::span<MappedObject> objects,
                                     const LockName& name) {
  const std::array<std::string_view, 1> wanted{name.symbol};
  std::vector<const MappedObject*> searched;
  std::vector<FoundSymbol> found;
  const MappedObject* in = nullptr;
  for (MappedObject& object : objects) {
    if (name.object.empty() ? !is_executed(object) : !is_named(object, name.object)) continue;
    if (Status read = read_object(process, object, wanted); !read) {
      if (!name.object.empty()) return fail(read.error());
      continue;
    }
    searched.push_back(&object);
    const ElfSymbol* symbol = object.elf.symbol(name.symbol);
    if (!symbol) continue;
    in = &object;
    found.push_back({object.path, symbol->value + object.moved_by + name.offset});
    for (const uint64_t other : symbol->others) {
      found.push_back({object.path, other + object.moved_by + name.offset});
    }
  }
  if (found.empty()) return fail(not_there(process, searched, name));
  if (found.size() > 1) return fail(there_twice(name, found));
  if (Status good = check(process, *in, *in->elf.symbol(name.symbol), name); !good) {
    return fail(good.error());
  }
  return found[0];
}

}  // namespace gilscope
