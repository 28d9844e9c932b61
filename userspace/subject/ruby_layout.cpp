#include "userspace/subject/ruby_layout.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "userspace/subject/thread_block.h"

namespace gilscope {
namespace {

// vm_core.h of 3.1 and 3.3: rb_thread_t begins with its node in the ractor's list, self, ractor,
// vm.
constexpr uint64_t kThreadRactorAt = 24, kThreadVmAt = 32;
constexpr uint64_t kNativeAt = 40;  // 3.3: nt
constexpr uint64_t kRactorsAt = 8;  // rb_vm_t: self, then the list of its ractors
constexpr uint64_t kVmBytes = 128;  // of its beginning, in which main_ractor and main_thread are
constexpr uint64_t kRactorBytes = 1024;  // in which a ractor has its lock
constexpr uint64_t kThreadBytes = 256;   // in which a thread has what is looked for
constexpr uint64_t kNativeBytes = 128;
constexpr size_t kMostRactors = 1024;

// A node of a doubly linked list, {next, previous}, whose neighbours lead back to it. Alone, it is
// its own neighbour.
bool is_linked(const Memory& memory, uint64_t node) {
  const auto links = memory.get<std::array<uint64_t, 2>>(node);
  if (!links) return false;
  const auto [next, previous] = *links;
  if (next == node && previous == node) return true;
  const auto back = memory.get<uint64_t>(next + 8);
  const auto forth = memory.get<uint64_t>(previous);
  return next != 0 && previous != 0 && back == node && forth == node;
}

// Whether it is a thread of that ractor; nobody is, too.
bool may_run(const Memory& memory, const RubyVm& vm, uint64_t ractor, uint64_t thread) {
  return thread == 0 || (memory.get<uint64_t>(thread + kThreadRactorAt) == ractor &&
                         memory.get<uint64_t>(thread + kThreadVmAt) == vm.address);
}

bool is_condition(const Memory& memory, const Glibc& glibc, uint64_t address) {
  const auto bytes = memory.get<std::array<uint8_t, GILSCOPE_CONDITION_BYTES>>(address);
  return bytes && can_be_condition(*bytes, glibc);
}

bool is_mutex(const Memory& memory, uint64_t address) {
  const auto bytes = memory.get<std::array<uint8_t, GILSCOPE_MUTEX_BYTES>>(address);
  return bytes && can_be_mutex(*bytes);
}

// thread_pthread.h of 3.1: struct rb_global_vm_lock_struct.
std::optional<RubyLock> lock_of_3_1(const Memory& memory, const Glibc& glibc, const RubyVm& vm,
                                    uint64_t ractor, uint64_t at) {
  constexpr uint64_t kLock = 8, kWaiters = 48, kTimerError = 72, kSwitch = 80, kSwitchWait = 128,
                     kYield = 176;
  const auto owner = memory.get<uint64_t>(at);
  const auto error = memory.get<int32_t>(at + kTimerError);
  const auto yield = memory.get<std::array<int32_t, 2>>(at + kYield);
  if (!owner || !error || !yield || (*error != 0 && *error != ETIMEDOUT) || ((*yield)[0] & ~1) ||
      ((*yield)[1] & ~1) || !is_linked(memory, at + kWaiters) || !is_mutex(memory, at + kLock) ||
      !is_condition(memory, glibc, at + kSwitch) ||
      !is_condition(memory, glibc, at + kSwitchWait) || !may_run(memory, vm, ractor, *owner)) {
    return std::nullopt;
  }
  return RubyLock{at + kLock, at, at + kSwitch, false};
}

// thread_pthread.h of 3.3: struct rb_thread_sched.
std::optional<RubyLock> lock_of_3_3(const Memory& memory, const RubyVm& vm, uint64_t ractor,
                                    uint64_t at) {
  constexpr uint64_t kRunning = 40, kFlags = 48, kWaiters = 56, kCount = 72;
  const auto running = memory.get<uint64_t>(at + kRunning);
  // is_running, is_running_timeslice, enable_mn_threads
  const auto flags = memory.get<std::array<uint8_t, 3>>(at + kFlags);
  const auto count = memory.get<int32_t>(at + kCount);
  if (!running || !flags || !count || *count < 0 || *count > 1 << 20 ||
      std::ranges::any_of(*flags, [](uint8_t flag) { return flag > 1; }) ||
      !is_linked(memory, at + kWaiters) || !is_mutex(memory, at) ||
      !may_run(memory, vm, ractor, *running)) {
    return std::nullopt;
  }
  return RubyLock{at, at + kRunning, 0, (*flags)[2] != 0};
}

// 3.1: the thread's data of its own lies in it: a node, and the condition behind it.
std::optional<RubyThread> thread_of_3_1(const Memory& memory,
                                        std::span<const ProcessThread> threads, uint64_t thread) {
  const auto id = find_thread_id(memory, threads, thread, kThreadBytes);
  if (!id) return std::nullopt;
  for (uint64_t at = id->at + 8; at < kThreadBytes; at += 8) {
    if (!is_linked(memory, thread + at)) continue;
    return RubyThread{id->at, GILSCOPE_NOWHERE, static_cast<uint16_t>(at),
                      static_cast<uint16_t>(at + 16), GILSCOPE_NOWHERE};
  }
  return std::nullopt;
}

// 3.3: struct rb_native_thread has the thread's id and its tid, a pointer back, which the main
// thread's lacks, and the condition; the nodes stay in rb_thread_t.
std::optional<RubyThread> thread_of_3_3(const Memory& memory, const Glibc& glibc,
                                        std::span<const ProcessThread> threads, uint64_t thread) {
  const auto native = memory.get<uint64_t>(thread + kNativeAt);
  const auto id = native ? find_thread_id(memory, threads, *native, kNativeBytes) : std::nullopt;
  if (!id) return std::nullopt;
  const auto state_at = static_cast<uint16_t>(id->at + 16);
  const auto condition_at = static_cast<uint16_t>(state_at + 8);
  const auto back = memory.get<uint64_t>(*native + state_at);
  if (!back || (*back != 0 && *back != thread) ||
      !is_condition(memory, glibc, *native + condition_at)) {
    return std::nullopt;
  }
  // Behind `nt` come `ec` and the nodes: that of the threads to interrupt, and that of the waiters.
  // A node is 0 until its thread first is in the list.
  constexpr uint64_t kWaitersAt = kNativeAt + 32;
  const auto node = memory.get<std::array<uint64_t, 2>>(thread + kWaitersAt);
  const bool unused = node && (*node)[0] == 0 && (*node)[1] == 0;
  if (!unused && !is_linked(memory, thread + kWaitersAt)) return std::nullopt;
  return RubyThread{id->at, kNativeAt, kWaitersAt, condition_at, state_at};
}

}  // namespace

std::optional<RubyVm> ruby_vm_at(const Memory& memory, uint64_t address) {
  const auto words = memory.get<std::array<uint64_t, kVmBytes / 8>>(address);
  if (!words) return std::nullopt;
  for (size_t i = 1; i + 1 < words->size(); ++i) {
    const uint64_t ractor = (*words)[i], thread = (*words)[i + 1];
    if (ractor == 0 || thread == 0 || ractor % 8 != 0 || thread % 8 != 0) continue;
    const RubyVm vm{address, ractor, thread};
    if (may_run(memory, vm, ractor, thread) && is_linked(memory, address + kRactorsAt)) return vm;
  }
  return std::nullopt;
}

std::vector<uint64_t> ruby_ractors(const Memory& memory, const RubyVm& vm) {
  std::vector<uint64_t> nodes;
  const uint64_t head = vm.address + kRactorsAt;
  auto node = memory.get<uint64_t>(head);
  while (node && *node != head && nodes.size() < kMostRactors) {
    nodes.push_back(*node);
    node = memory.get<uint64_t>(*node);
  }
  // The node that lies in the main ractor tells where it lies in all.
  const auto own =
      std::ranges::find_if(nodes, [&](uint64_t at) { return at - vm.main_ractor < kRactorBytes; });
  if (own == nodes.end()) return {vm.main_ractor};
  const uint64_t at = *own - vm.main_ractor;
  for (uint64_t& each : nodes) each -= at;
  return nodes;
}

std::optional<RubyLock> ruby_lock_in(const Memory& memory, const Glibc& glibc, const RubyVm& vm,
                                     const LanguageVersion& version, uint64_t ractor) {
  for (uint64_t at = 0; at < kRactorBytes; at += 8) {
    const auto lock = version.minor == 1 ? lock_of_3_1(memory, glibc, vm, ractor, ractor + at)
                                         : lock_of_3_3(memory, vm, ractor, ractor + at);
    if (lock) return lock;
  }
  return std::nullopt;
}

std::optional<RubyThread> ruby_thread_at(const Memory& memory, const Glibc& glibc,
                                         std::span<const ProcessThread> threads,
                                         const LanguageVersion& version, uint64_t thread) {
  return version.minor == 1 ? thread_of_3_1(memory, threads, thread)
                            : thread_of_3_3(memory, glibc, threads, thread);
}

}  // namespace gilscope
