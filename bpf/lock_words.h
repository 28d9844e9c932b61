/* SPDX-License-Identifier: GPL-2.0-only
 *
 * The words of glibc's locks that are no GIL: who holds one, and whether one can be there at all.
 * Both sides read them. Pure functions; compiles as C for BPF and as C++ for the tests.
 */
#ifndef GILSCOPE_BPF_LOCK_WORDS_H
#define GILSCOPE_BPF_LOCK_WORDS_H

#include "bpf/subject.h"

#define GILSCOPE_LOCK_WORDS 8 /* 4 bytes each, that are read at a look */
#define GILSCOPE_RWLOCK_BYTES 56
#define GILSCOPE_MOST_TIDS (1U << 22) /* PID_MAX_LIMIT */
#define GILSCOPE_MOST_USERS (1U << 20)

/* pthread_mutex_t: {lock, count, owner, nusers, kind}. */
#define GILSCOPE_MUTEX_OWNER 2
#define GILSCOPE_MUTEX_USERS 3
#define GILSCOPE_MUTEX_COUNT 1
#define GILSCOPE_MUTEX_KIND 4
#define GILSCOPE_MUTEX_RECURSIVE 1
#define GILSCOPE_MUTEX_ROBUST 0x10
#define GILSCOPE_MUTEX_INHERITS 0x20
#define GILSCOPE_MUTEX_PROTECTS 0x40
#define GILSCOPE_MUTEX_SHARED 0x80
#define GILSCOPE_MUTEX_ELISION 0x300 /* glibc adds it to the kind by itself */
#define GILSCOPE_MUTEX_SORT 3        /* normal, recursive, error-checking, adaptive */
/* Of a word that has the owner's tid, as robust and priority-inheriting ones have. */
#define GILSCOPE_FUTEX_TID 0x3fffffff

/* pthread_rwlock_t: {readers, writers, wrphase_futex, writers_futex, pad, pad, cur_writer, shared}.
 */
#define GILSCOPE_RWLOCK_WRITER 6
#define GILSCOPE_RWLOCK_SHARED 7
#define GILSCOPE_RWLOCK_READER_SHIFT 3

static inline int gilscope_is_lock(__u32 kind) {
  return kind >= GILSCOPE_LOCK_MUTEX && kind <= GILSCOPE_LOCK_COND;
}

struct gilscope_lock_state {
  __u64 holder; /* its tid in the process's PID namespace; 0: nobody, or it is not known */
  __u64 waits;  /* of a condition: how many have ever begun */
  __s32 locked;
};

static inline int gilscope_mutex_word_has_tid(const __u32* bytes) {
  return bytes[GILSCOPE_MUTEX_KIND] & (GILSCOPE_MUTEX_ROBUST | GILSCOPE_MUTEX_INHERITS);
}

/* Whether another process may wait for it, and be woken by a thread of this one. */
static inline int gilscope_lock_shared(const struct gilscope_gil* lock, const __u32* bytes) {
  if (lock->kind == GILSCOPE_LOCK_MUTEX) return bytes[GILSCOPE_MUTEX_KIND] & GILSCOPE_MUTEX_SHARED;
  return lock->kind == GILSCOPE_LOCK_RWLOCK && bytes[GILSCOPE_RWLOCK_SHARED];
}

/* The owner is a tid in the process's PID namespace. Of an rwlock it is a writer; of a condition
 * there is none. */
static inline void gilscope_lock_words(const struct gilscope_gil* lock, const __u32* bytes,
                                       struct gilscope_lock_state* state) {
  state->holder = 0;
  state->waits = 0;
  state->locked = 0;
  if (lock->kind == GILSCOPE_LOCK_COND) {
    state->waits = ((__u64)bytes[1] << 32 | bytes[0]) >> 1;
  } else if (lock->kind == GILSCOPE_LOCK_RWLOCK) {
    state->holder = bytes[GILSCOPE_RWLOCK_WRITER];
    state->locked = state->holder || bytes[0] >> GILSCOPE_RWLOCK_READER_SHIFT;
  } else if (gilscope_mutex_word_has_tid(bytes)) {
    state->holder = bytes[0] & GILSCOPE_FUTEX_TID;
    state->locked = state->holder != 0;
  } else {
    state->locked = bytes[0] != 0;
    state->holder = bytes[0] ? bytes[GILSCOPE_MUTEX_OWNER] : 0;
  }
}

/* Words that no lock of this kind can have mean that the address is wrong, or that the lock has
 * been destroyed and its memory is used for something else. */
static inline int gilscope_lock_plausible(const struct gilscope_gil* lock, const __u32* bytes) {
  if (lock->kind == GILSCOPE_LOCK_COND) {
    __u64 waits = ((__u64)bytes[1] << 32 | bytes[0]) >> 1;
    __u64 group = ((__u64)bytes[3] << 32 | bytes[2]) >> 1;
    return waits < 1ULL << 48 && group <= waits;
  }
  if (lock->kind == GILSCOPE_LOCK_RWLOCK) {
    return bytes[GILSCOPE_RWLOCK_WRITER] <= GILSCOPE_MOST_TIDS &&
           bytes[GILSCOPE_RWLOCK_SHARED] <= 1 &&
           bytes[0] >> GILSCOPE_RWLOCK_READER_SHIFT <= GILSCOPE_MOST_USERS;
  }
  if (bytes[GILSCOPE_MUTEX_KIND] &
      ~(GILSCOPE_MUTEX_SORT | GILSCOPE_MUTEX_ROBUST | GILSCOPE_MUTEX_INHERITS |
        GILSCOPE_MUTEX_SHARED | GILSCOPE_MUTEX_ELISION)) {
    return 0;
  }
  if (bytes[GILSCOPE_MUTEX_USERS] > GILSCOPE_MOST_USERS) return 0;
  if (gilscope_mutex_word_has_tid(bytes)) {
    return (bytes[0] & GILSCOPE_FUTEX_TID) <= GILSCOPE_MOST_TIDS;
  }
  /* No other sort counts. A semaphore has the number of its waiters there, and looks like a free
   * mutex but for that. */
  if ((bytes[GILSCOPE_MUTEX_KIND] & GILSCOPE_MUTEX_SORT) != GILSCOPE_MUTEX_RECURSIVE &&
      bytes[GILSCOPE_MUTEX_COUNT]) {
    return 0;
  }
  return bytes[0] <= 2 && bytes[GILSCOPE_MUTEX_OWNER] <= GILSCOPE_MOST_TIDS;
}

#endif /* GILSCOPE_BPF_LOCK_WORDS_H */
