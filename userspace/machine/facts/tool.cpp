// This program, and the number of BPF programs in the kernel: others on the same tracepoints slow
// down every switch.
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <link.h>

#include <utility>

#include "userspace/machine/facts/parts.h"

namespace gilscope {
namespace {

// Counts all loaded programs, whoever loaded them and whatever they are attached to.
Result<int64_t> loaded_programs() {
  constexpr int64_t kMany = 100000;  // ends the loop even if programs are loaded all the time
  int64_t count = 0;
  for (__u32 id = 0; count < kMany; ++count) {
    const int result = bpf_prog_get_next_id(id, &id);
    if (result == -ENOENT) return count;
    if (result < 0) return fail_errno("counting BPF programs", -result);
  }
  return count;
}

// Distinguishes two builds of one version. The linker puts it into the program's notes.
Result<std::string> own_build_id() {
  std::string id;
  // The program itself comes first; returning 1 ends the walk there.
  ::dl_iterate_phdr(
      [](dl_phdr_info* program, size_t, void* found) {
        for (int i = 0; i < program->dlpi_phnum; ++i) {
          const ElfW(Phdr)& header = program->dlpi_phdr[i];
          if (header.p_type != PT_NOTE) continue;
          const auto* notes = reinterpret_cast<const char*>(program->dlpi_addr + header.p_vaddr);
          std::string text = build_id_among({notes, header.p_memsz});
          if (!text.empty()) *static_cast<std::string*>(found) = std::move(text);
        }
        return 1;
      },
      &id);
  if (id.empty()) return fail("linked without --build-id");
  return id;
}

}  // namespace

void add_tool_facts(FactList& facts) {
  facts.add("tool.version", GILSCOPE_VERSION);
  facts.add("tool.build_id", own_build_id());
  facts.add("tool.libbpf", libbpf_version_string());
  // Captured before gilscope loads its own programs.
  facts.add("bpf.programs", loaded_programs());
}

}  // namespace gilscope
