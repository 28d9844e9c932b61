#include "userspace/subject/lock_words.h"

#include <array>
#include <cstring>

#include "bpf/lock_words.h"

namespace gilscope {
namespace {

using Bytes = std::span<const uint8_t, kMostLockBytes>;

uint32_t word(Bytes bytes, size_t index) {
  uint32_t value;
  std::memcpy(&value, bytes.data() + index * sizeof value, sizeof value);
  return value;
}

gilscope_lock_state state_of(const gilscope_gil& lock, Bytes bytes) {
  std::array<uint32_t, GILSCOPE_LOCK_WORDS> first;
  std::memcpy(first.data(), bytes.data(), sizeof first);
  gilscope_lock_state state = {};
  gilscope_lock_words(&lock, first.data(), &state);
  return state;
}

bool plausible(const gilscope_gil& lock, Bytes bytes) {
  std::array<uint32_t, GILSCOPE_LOCK_WORDS> first;
  std::memcpy(first.data(), bytes.data(), sizeof first);
  return gilscope_lock_plausible(&lock, first.data()) != 0;
}

std::string sort_of_mutex(uint32_t kind) {
  static constexpr const char* kSorts[] = {"normal", "recursive", "error-checking", "adaptive"};
  std::string sort = kSorts[kind & GILSCOPE_MUTEX_SORT];
  if (kind & GILSCOPE_MUTEX_ROBUST) sort += ", robust";
  if (kind & GILSCOPE_MUTEX_INHERITS) sort += ", priority-inheriting";
  const char* article = sort.starts_with("error") || sort.starts_with("adaptive") ? "an" : "a";
  return fmt::format("{} {} mutex{}", article, sort,
                     kind & GILSCOPE_MUTEX_SHARED ? " shared between processes" : "");
}

Result<SeenLock> judge_mutex(const gilscope_gil& lock, Bytes bytes) {
  const uint32_t kind = word(bytes, GILSCOPE_MUTEX_KIND);
  constexpr uint32_t kKnown = GILSCOPE_MUTEX_SORT | GILSCOPE_MUTEX_ROBUST |
                              GILSCOPE_MUTEX_INHERITS | GILSCOPE_MUTEX_SHARED |
                              GILSCOPE_MUTEX_ELISION;
  if (kind == ~uint32_t{0}) return fail("is a mutex that has been destroyed");
  if ((kind & ~kKnown) == GILSCOPE_MUTEX_PROTECTS && word(bytes, 1) == 0) {
    return fail(
        "is a priority-protected mutex (PTHREAD_PRIO_PROTECT), whose word has a priority in it: "
        "such ones are not followed");
  }
  if ((kind & ~kKnown) != 0) {
    return fail(fmt::format("is no pthread_mutex_t: its kind would be {:#x}", kind));
  }
  const bool with_tid = kind & (GILSCOPE_MUTEX_ROBUST | GILSCOPE_MUTEX_INHERITS);
  if (!plausible(lock, bytes)) {
    return fail(fmt::format("is no pthread_mutex_t: its words are {:#x}, {}, {}, {}",
                            word(bytes, 0), word(bytes, 1), word(bytes, 2), word(bytes, 3)));
  }
  // Nothing but robust and priority-inheriting ones is in a list.
  uint64_t list[2];
  std::memcpy(list, bytes.data() + 24, sizeof list);
  if (!with_tid && (list[0] != 0 || list[1] != 0)) {
    return fail("is no pthread_mutex_t: more than its words is there");
  }
  const gilscope_lock_state state = state_of(lock, bytes);
  const bool free_with_owner = !with_tid && state.locked == 0;
  return SeenLock{sort_of_mutex(kind), state.locked != 0, (kind & GILSCOPE_MUTEX_SHARED) != 0,
                  static_cast<pid_t>(state.holder),
                  free_with_owner ? word(bytes, GILSCOPE_MUTEX_OWNER) : 0};
}

Result<SeenLock> judge_rwlock(const gilscope_gil& lock, Bytes bytes) {
  uint64_t rest[2];
  std::memcpy(rest, bytes.data() + 32, sizeof rest);
  constexpr uint64_t kElision = 0xff;
  const bool clean = word(bytes, 4) == 0 && word(bytes, 5) == 0 && (rest[0] & ~kElision) == 0 &&
                     rest[1] == 0 && word(bytes, 12) <= 2;
  if (!clean || !plausible(lock, bytes)) {
    return fail(fmt::format("is no pthread_rwlock_t: its words are {:#x}, {:#x}, {:#x}, {:#x}",
                            word(bytes, 0), word(bytes, 1), word(bytes, 2), word(bytes, 3)));
  }
  const gilscope_lock_state state = state_of(lock, bytes);
  const bool shared = word(bytes, GILSCOPE_RWLOCK_SHARED) != 0;
  return SeenLock{shared ? "an rwlock shared between processes" : "an rwlock", state.locked != 0,
                  shared, static_cast<pid_t>(state.holder)};
}

Result<SeenLock> judge_cond(const gilscope_gil& lock, Bytes bytes, const Glibc& glibc) {
  std::array<uint8_t, GILSCOPE_CONDITION_BYTES> private_one;
  std::memcpy(private_one.data(), bytes.data(), private_one.size());
  const size_t flags = glibc.signals_at() - 4;
  const bool shared = private_one[flags] & 1;
  private_one[flags] &= 0xfe;
  if (!can_be_condition(private_one, glibc) || !plausible(lock, bytes)) {
    return fail(fmt::format("is no pthread_cond_t: its words are {:#x}, {:#x}, {:#x}, {:#x}",
                            word(bytes, 0), word(bytes, 1), word(bytes, 2), word(bytes, 3)));
  }
  return SeenLock{shared ? "a condition shared between processes" : "a condition", false, shared,
                  0};
}

}  // namespace

Result<SeenLock> judge_lock(const LockName& name, Bytes bytes, const Glibc& glibc) {
  gilscope_gil lock = {};
  lock.kind = name.gil_kind();
  lock.signals_at = glibc.signals_at();
  if (name.kind == "rwlock") return judge_rwlock(lock, bytes);
  if (name.kind == "cond") return judge_cond(lock, bytes, glibc);
  return judge_mutex(lock, bytes);
}

}  // namespace gilscope
