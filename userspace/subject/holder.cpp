#include "userspace/subject/holder.h"

#include <algorithm>
#include <array>
#include <vector>

#include "bpf/lock_words.h"

#include "userspace/subject/process_memory.h"
#include "userspace/subject/thread_block.h"

namespace gilscope {
namespace {

// Whether it is held, as the interpreter's words say.
std::optional<bool> is_held(const Memory& memory, const gilscope_gil& gil, uint64_t holder) {
  switch (gil.kind) {
    case GILSCOPE_GIL_CONDITION: {
      const uint64_t at =
          gil.locked_at != GILSCOPE_NOWHERE ? gil.words + gil.locked_at : gil.locked;
      const auto locked = at != 0 ? memory.get<int32_t>(at) : std::nullopt;
      return locked ? std::optional(*locked == 1) : std::nullopt;
    }
    case GILSCOPE_GIL_SEMAPHORE:
    case GILSCOPE_GIL_FAST:
    case GILSCOPE_GIL_QUEUE:
      return holder != 0;
    default:
      return std::nullopt;
  }
}

// pthread_self() of the thread that the word stands for.
uint64_t pthread_of(const Memory& memory, const gilscope_gil& gil, uint64_t holder) {
  if (holder == 0 || gil.kind == GILSCOPE_GIL_FAST) return holder;
  if (gil.native_at == GILSCOPE_NOWHERE) {
    return memory.get<uint64_t>(holder + gil.thread_id_at).value_or(0);
  }
  const auto native = memory.get<uint64_t>(holder + gil.native_at);
  return native ? memory.get<uint64_t>(*native + gil.thread_id_at).value_or(0) : 0;
}

Result<Holder> holder_of_lock(const ProcessMemory& process, const gilscope_gil& lock) {
  std::array<uint32_t, GILSCOPE_LOCK_WORDS> bytes;
  if (!process.read(lock.condition, bytes.data(), sizeof bytes)) {
    return fail(fmt::format("process {} has ended, or its lock is gone", process.pid()));
  }
  gilscope_lock_state state = {};
  gilscope_lock_words(&lock, bytes.data(), &state);
  Holder seen;
  if (lock.kind != GILSCOPE_LOCK_COND) seen.held = state.locked != 0;
  const std::vector<ProcessThread> threads = process.threads();
  const auto thread =
      std::ranges::find(threads, static_cast<pid_t>(state.holder), &ProcessThread::tid_inside);
  if (state.holder != 0 && thread != threads.end()) {
    seen.tid = thread->tid;
    seen.name = thread->name;
  }
  return seen;
}

}  // namespace

Result<Holder> holder_of(const Subject& subject, const GilPlace& place) {
  const auto process = ProcessMemory::open(subject.pid);
  if (!process) return fail(process.error());
  const gilscope_gil& gil = place.gil;
  if (gilscope_is_lock(gil.kind)) return holder_of_lock(*process, gil);
  const uint64_t at = gil.current != 0 ? gil.current : gil.words + gil.holder_at;
  const auto holder = process->get<uint64_t>(at);
  if (!holder) return fail(fmt::format("process {} has ended", subject.pid));
  Holder seen;
  seen.held = is_held(*process, gil, *holder);
  const std::vector<ProcessThread> threads = process->threads();
  if (const auto* thread = thread_of(*process, threads, pthread_of(*process, gil, *holder))) {
    seen.tid = thread->tid;
    seen.name = thread->name;
  }
  return seen;
}

}  // namespace gilscope
