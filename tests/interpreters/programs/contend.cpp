// A program for the tests of `--lock`: threads that contend for one lock of glibc's, and count
// themselves what became of their attempts. Before each, they try; if that fails, the kernel's
// count of their own sleeps says how often the call that follows slept. Commands on standard input,
// one a line: "go" opens the gate, "stop" closes it and prints the counts, "end" or its end ends
// the program.
#include <errno.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

// Symbols that tests name.
extern "C" {
pthread_mutex_t watched;
pthread_mutex_t others[4];
pthread_mutex_t never_used;
pthread_rwlock_t watched_rwlock;
pthread_cond_t watched_condition;
pthread_mutex_t* pointed_to = &watched;
char too_small[16];
extern const pthread_mutex_t unwritable = PTHREAD_MUTEX_INITIALIZER;
int busy = 1;
uint32_t busy_words[16] = {1};  // as of a mutex that is held by nobody
void function_of_it() {}
}

// contend_twice.cpp has another of that name.
[[gnu::used]] static pthread_mutex_t in_two_files asm("in_two_files");

namespace {

struct Counts {
  uint64_t locks = 0, failed = 0, slept = 0, lost = 0, preempted = 0;
};

struct Options {
  std::string sort = "normal";
  long threads = 2, hold_ns = 20'000, pause_ns = 20'000, other_locks = 0;
};

Options options;
std::atomic<bool> open_gate{false}, ending{false};
std::atomic<long> waiting{0};
pthread_mutex_t* lock = &watched;
bool turn = false;

uint64_t now_ns() {
  timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(time.tv_nsec);
}

void compute(uint64_t ns) {
  const uint64_t end = now_ns() + ns;
  while (now_ns() < end) {
  }
}

rusage used() {
  rusage usage;
  getrusage(RUSAGE_THREAD, &usage);
  return usage;
}

bool is_rwlock() {
  return options.sort == "rwlock" || options.sort == "readers";
}

int try_it(bool write) {
  if (!is_rwlock()) return pthread_mutex_trylock(lock);
  return write ? pthread_rwlock_trywrlock(&watched_rwlock)
               : pthread_rwlock_tryrdlock(&watched_rwlock);
}

int take_it(bool write) {
  if (!is_rwlock()) return pthread_mutex_lock(lock);
  return write ? pthread_rwlock_wrlock(&watched_rwlock) : pthread_rwlock_rdlock(&watched_rwlock);
}

void let_go() {
  if (is_rwlock()) {
    pthread_rwlock_unlock(&watched_rwlock);
  } else {
    pthread_mutex_unlock(lock);
  }
}

// Waits for the other thread's turn, and gives it to that one.
void take_turns(Counts& counts, bool mine) {
  pthread_mutex_lock(&others[0]);
  while (turn != mine && open_gate.load()) {
    timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 1;  // whoever waits when the gate is closed
    pthread_cond_timedwait(&watched_condition, &others[0], &until);
  }
  turn = !mine;
  pthread_cond_signal(&watched_condition);
  pthread_mutex_unlock(&others[0]);
  ++counts.locks;
}

void once(Counts& counts, unsigned& random, bool write) {
  const int tried = try_it(write);
  if (tried == EBUSY) {
    ++counts.failed;
    const long before = used().ru_nvcsw;
    if (take_it(write) != 0) abort();
    const auto sleeps = static_cast<uint64_t>(used().ru_nvcsw - before);
    counts.slept += sleeps > 0 ? 1 : 0;
    counts.lost += sleeps > 1 ? sleeps - 1 : 0;
  } else if (tried != 0) {
    abort();
  }
  ++counts.locks;
  const long before = used().ru_nivcsw;
  compute(static_cast<uint64_t>(options.hold_ns) / 2 +
          static_cast<uint64_t>(rand_r(&random)) % static_cast<uint64_t>(options.hold_ns + 1));
  counts.preempted += static_cast<uint64_t>(used().ru_nivcsw - before);
  let_go();
  compute(static_cast<uint64_t>(options.pause_ns) / 2 +
          static_cast<uint64_t>(rand_r(&random)) % static_cast<uint64_t>(options.pause_ns + 1));
  for (long i = 0; i < options.other_locks; ++i) {
    pthread_mutex_lock(&others[i]);
    compute(static_cast<uint64_t>(options.hold_ns));
    pthread_mutex_unlock(&others[i]);
  }
}

struct Worker {
  pthread_t thread;
  long number = 0;
  Counts counts;
};

void* work(void* argument) {
  auto* worker = static_cast<Worker*>(argument);
  prctl(PR_SET_NAME, ("contender-" + std::to_string(worker->number)).c_str());
  auto random = static_cast<unsigned>(worker->number + 1);
  const bool write = options.sort != "readers" || worker->number == 1;
  bool was_open = true;
  while (!ending.load()) {
    if (!open_gate.load()) {
      if (was_open) ++waiting;
      was_open = false;
      const timespec pause{0, 1'000'000};
      nanosleep(&pause, nullptr);
      continue;
    }
    if (!was_open) --waiting;
    was_open = true;
    if (options.sort == "cond") {
      take_turns(worker->counts, worker->number % 2 != 0);
    } else {
      once(worker->counts, random, write);
    }
  }
  return nullptr;
}

void make_locks() {
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  const std::string& sort = options.sort;
  if (sort == "recursive") pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
  if (sort == "errorcheck") pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK);
  if (sort == "adaptive") pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ADAPTIVE_NP);
  if (sort == "robust") pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
  if (sort == "inherit") pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT);
  if (sort == "protect") pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_PROTECT);
  if (sort == "shared") pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
  if (sort == "heap" || sort == "shared") {
    const int how = sort == "shared" ? MAP_SHARED : MAP_PRIVATE;
    lock = static_cast<pthread_mutex_t*>(
        mmap(nullptr, 4096, PROT_READ | PROT_WRITE, how | MAP_ANONYMOUS, -1, 0));
  }
  pthread_mutex_init(lock, &attributes);
  for (pthread_mutex_t& other : others) pthread_mutex_init(&other, nullptr);
  pthread_rwlock_init(&watched_rwlock, nullptr);
}

void print(const std::vector<Worker>& workers) {
  Counts sum;
  for (const Worker& worker : workers) {
    sum.locks += worker.counts.locks;
    sum.failed += worker.counts.failed;
    sum.slept += worker.counts.slept;
    sum.lost += worker.counts.lost;
    sum.preempted += worker.counts.preempted;
  }
  printf("locks %lu failed %lu slept %lu lost %lu preempted %lu\n", sum.locks, sum.failed,
         sum.slept, sum.lost, sum.preempted);
  fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string name = argv[i];
    if (name == "sort") options.sort = argv[i + 1];
    if (name == "threads") options.threads = atol(argv[i + 1]);
    if (name == "hold_ns") options.hold_ns = atol(argv[i + 1]);
    if (name == "pause_ns") options.pause_ns = atol(argv[i + 1]);
    if (name == "other_locks") options.other_locks = atol(argv[i + 1]);
  }
  make_locks();
  std::vector<Worker> workers(static_cast<size_t>(options.threads));
  long number = 0;
  for (Worker& worker : workers) {
    worker.number = ++number;
    pthread_create(&worker.thread, nullptr, work, &worker);
  }
  const auto all_wait = [] {
    while (waiting.load() < options.threads) usleep(1000);
  };
  all_wait();
  printf("ready %p\n", static_cast<void*>(lock));
  fflush(stdout);
  char line[64];
  while (fgets(line, sizeof line, stdin)) {
    if (strcmp(line, "go\n") == 0) open_gate = true;
    if (strcmp(line, "stop\n") == 0) {
      open_gate = false;
      all_wait();
      print(workers);
    }
    if (strcmp(line, "destroy\n") == 0) {  // the lock, and its memory is used for something else
      open_gate = false;
      all_wait();
      pthread_mutex_destroy(lock);
      memset(static_cast<void*>(lock), 0x5a, sizeof *lock);
      lock = &others[0];
      open_gate = true;
    }
    if (strcmp(line, "unmap\n") == 0) {
      open_gate = false;
      all_wait();
      munmap(lock, 4096);
      lock = &others[0];
      open_gate = true;
    }
    if (strcmp(line, "end\n") == 0) break;
  }
  ending = true;
  for (Worker& worker : workers) pthread_join(worker.thread, nullptr);
  return 0;
}
