// Ruby's structures, known by their contents rather than by tables of offsets: what points where,
// and which words are the ends of a linked list.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "userspace/subject/look.h"

namespace gilscope {

struct RubyVm {
  uint64_t address = 0;
  uint64_t main_ractor = 0, main_thread = 0;
};

// Empty: that is no rb_vm_t.
std::optional<RubyVm> ruby_vm_at(const Memory& memory, uint64_t address);

// All ractors of the VM.
std::vector<uint64_t> ruby_ractors(const Memory& memory, const RubyVm& vm);

// The lock that a ractor's threads share. Addresses.
struct RubyLock {
  uint64_t mutex = 0, running = 0;
  uint64_t switch_condition = 0;  // 3.1: who yields waits here until another has it; 0: none
  bool many_to_many = false;      // 3.3: threads of Ruby share threads of the kernel
};
std::optional<RubyLock> ruby_lock_in(const Memory& memory, const Glibc& glibc, const RubyVm& vm,
                                     const LanguageVersion& version, uint64_t ractor);

// Offsets, as in struct gilscope_gil.
struct RubyThread {
  uint16_t thread_id_at = 0, native_at = 0, node_at = 0, condition_at = 0, state_at = 0;
};
std::optional<RubyThread> ruby_thread_at(const Memory& memory, const Glibc& glibc,
                                         std::span<const ProcessThread> threads,
                                         const LanguageVersion& version, uint64_t thread);

}  // namespace gilscope
