#include "tests/interpreters/witness.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <atomic>
#include <cerrno>
#include <map>
#include <thread>

#include "tests/interpreters/symbols.h"
#include "witness.skel.h"

namespace gilscope::witness {
namespace {

struct Owned {
  void operator()(witness_bpf* skeleton) const { witness_bpf__destroy(skeleton); }
  void operator()(bpf_link* link) const { bpf_link__destroy(link); }
  void operator()(ring_buffer* ring) const { ring_buffer__free(ring); }
};

int keep(void* into, void* data, size_t bytes) {
  if (bytes >= sizeof(witness_event)) {
    static_cast<std::vector<witness_event>*>(into)->push_back(
        *static_cast<const witness_event*>(data));
  }
  return 0;
}

witness_place place_of(pid_t pid, const gilscope_gil& gil) {
  witness_place place = {};
  place.tgid = static_cast<__u32>(pid);
  place.thread_id_at = gil.thread_id_at;
  place.mutex = gil.mutex;
  place.switch_condition = gil.switch_condition;
  place.switch_mutex = gil.switch_mutex;
  (gil.kind == GILSCOPE_GIL_SEMAPHORE ? place.semaphore : place.condition) = gil.condition;
  if (gil.kind == GILSCOPE_GIL_SEMAPHORE) {
    place.holder = gil.current;
  } else if (gil.holder_at != GILSCOPE_NOWHERE) {
    place.holder = gil.words + gil.holder_at;
  }
  if (gil.locked_at != GILSCOPE_NOWHERE) place.locked = gil.words + gil.locked_at;
  if (gil.locked) place.locked = gil.locked;
  place.holder_is_thread = gil.kind == GILSCOPE_GIL_FAST;
  return place;
}

}  // namespace

struct GilWitness::State {
  std::unique_ptr<witness_bpf, Owned> programs;
  std::vector<std::unique_ptr<bpf_link, Owned>> links;
  std::unique_ptr<ring_buffer, Owned> ring;
  std::vector<witness_event> events;
  std::atomic<bool> ended = false;
  std::jthread reader;
  bool takes = false;

  // False: the process has no such function.
  Result<bool> probe(bpf_program* program, bool at_return, pid_t pid, const char* name) {
    const auto function = function_of(pid, name);
    if (!function) return false;
    bpf_link* link = bpf_program__attach_uprobe(program, at_return, pid, function->file.c_str(),
                                                function->offset);
    if (!link) return fail_errno(std::string("cannot probe ") + name);
    links.emplace_back(link);
    return true;
  }

  Status attach(bpf_program* program) {
    bpf_link* link = bpf_program__attach(program);
    if (!link) return fail_errno("cannot attach the witness");
    links.emplace_back(link);
    return {};
  }

  void read() {
    reader = std::jthread([this] {
      while (!ended) {
        ring_buffer__consume(ring.get());
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
      }
    });
  }
};

GilWitness::GilWitness(std::unique_ptr<State> state) : state_(std::move(state)) {}
GilWitness::GilWitness(GilWitness&&) noexcept = default;

GilWitness::~GilWitness() {
  if (state_) state_->ended = true;
}

Result<GilWitness> GilWitness::attach(pid_t pid, const gilscope_gil& gil) {
  auto state = std::make_unique<State>();
  state->programs.reset(witness_bpf__open());
  if (!state->programs) return fail_errno("cannot open the witness");
  witness_bpf& programs = *state->programs;
  const_cast<witness_place&>(programs.rodata->place) = place_of(pid, gil);
  if (witness_bpf__load(&programs)) return fail_errno("cannot load the witness");
  state->ring.reset(
      ring_buffer__new(bpf_map__fd(programs.maps.events), keep, &state->events, nullptr));
  if (!state->ring) return fail_errno("cannot read from the witness");

  const bool semaphore = gil.kind == GILSCOPE_GIL_SEMAPHORE;
  const struct {
    bpf_program* program;
    bool at_return, wanted, needed;
    const char* name;
  } probes[] = {
      {programs.progs.semaphore, false, semaphore, true, "sem_wait"},
      {programs.progs.timedwait, false, !semaphore, true, "pthread_cond_timedwait"},
      {programs.progs.timedwait_returned, true, !semaphore, true, "pthread_cond_timedwait"},
      {programs.progs.signalled, false, !semaphore, true, "pthread_cond_signal"},
      {programs.progs.take, false, !semaphore, false, "take_gil"},
      {programs.progs.taken, true, !semaphore, false, "take_gil"},
  };
  for (const auto& probe : probes) {
    if (!probe.wanted) continue;
    auto probed = state->probe(probe.program, probe.at_return, pid, probe.name);
    if (!probed) return fail(probed.error());
    if (!*probed && probe.needed) return fail(std::string("the process has no ") + probe.name);
    if (!probe.needed) state->takes = *probed;
  }
  for (bpf_program* program :
       {programs.progs.futex_left, programs.progs.switched, programs.progs.futex_entered}) {
    if (Status attached = state->attach(program); !attached) return fail(attached.error());
  }
  state->read();
  return GilWitness(std::move(state));
}

std::vector<witness_event> GilWitness::end() {
  state_->links.clear();
  state_->ended = true;
  if (state_->reader.joinable()) state_->reader.join();
  ring_buffer__consume(state_->ring.get());
  return std::move(state_->events);
}

uint64_t GilWitness::lost() const {
  return state_->programs->bss->lost;
}

bool GilWitness::sees_take_gil() const {
  return state_->takes;
}

namespace {

// A thread's way through the calls that take the GIL.
struct Thread {
  bool waited = false;  // since it last let the GIL go
  bool waited_in_take = false;
  int last = 0;  // the result of its last wait
  uint64_t sleeps_in_wait = 0;
  uint64_t Kinds::*kind = nullptr;  // of the wait that it is in
};

uint64_t Kinds::*kind_of(bool waited, int last) {
  if (!waited) return &Kinds::contended;
  return last == ETIMEDOUT || last == -ETIMEDOUT ? &Kinds::timed_out : &Kinds::woken_lost;
}

void add_call(const witness_event& event, Seen& seen) {
  seen.calls += 1;
  if (event.slept) return;
  switch (event.result) {
    case -EAGAIN:
      seen.changed += 1;
      break;
    case -ETIMEDOUT:
      seen.late += 1;
      break;
    case 0:
      seen.overtaken += 1;
      break;
    default:
      seen.interrupted += 1;
      break;
  }
}

}  // namespace

Seen add_up(const std::vector<witness_event>& events, const gilscope_gil& gil, uint64_t from_ns,
            uint64_t to_ns) {
  Seen seen;
  std::map<uint32_t, Thread> threads;
  const bool semaphore = gil.kind == GILSCOPE_GIL_SEMAPHORE;
  // Words that who waits for the GIL sleeps on, and the others of the condition.
  const auto waits_here = [&](uint64_t address) {
    if (semaphore) return address - gil.condition < 32;
    return address == gil.condition + gil.signals_at ||
           address == gil.condition + gil.signals_at + 4;
  };
  for (const witness_event& event : events) {
    Thread& thread = threads[event.thread];
    const bool inside = event.at_ns >= from_ns && event.at_ns < to_ns;
    switch (event.what) {
      case WITNESS_SLEPT:
        if (waits_here(event.address)) {
          if (inside) {
            seen.sleeps += 1;
            seen.waits_begun_again += thread.kind && thread.sleeps_in_wait > 0;
            if (thread.kind && thread.sleeps_in_wait == 0) seen.kinds_slept.*thread.kind += 1;
          }
          thread.sleeps_in_wait += 1;
        } else if (inside) {
          seen.mutex_sleeps += gil.mutex && event.address - gil.mutex < GILSCOPE_MUTEX_BYTES;
          seen.switch_sleeps += gil.switch_condition &&
                                event.address - gil.switch_condition < GILSCOPE_CONDITION_BYTES;
          seen.release_stalls += event.address - gil.condition < GILSCOPE_CONDITION_BYTES;
        }
        break;
      case WITNESS_FUTEX:
        if (!waits_here(event.address)) break;
        if (inside) add_call(event, seen);
        if (semaphore) {
          const auto kind = kind_of(thread.waited, event.result);
          if (inside) {
            seen.kinds.*kind += 1;
            if (event.slept) seen.kinds_slept.*kind += 1;
          }
          thread.waited = true;
        }
        break;
      case WITNESS_WAIT:
        thread.kind = kind_of(thread.waited, thread.last);
        thread.sleeps_in_wait = 0;
        if (inside) {
          seen.waits += 1;
          seen.kinds.*thread.kind += 1;
          seen.by_take_gil.*kind_of(thread.waited_in_take, thread.last) += 1;
        }
        thread.waited = thread.waited_in_take = true;
        break;
      case WITNESS_WAITED:
        thread.last = event.result;
        thread.kind = nullptr;
        break;
      // A thread that lets it go has had it; one that calls sem_wait anew had not waited before.
      case WITNESS_SIGNAL:
      case WITNESS_SEMAPHORE:
        thread.waited = false;
        break;
      case WITNESS_TAKE:
      case WITNESS_TAKEN:
        thread.waited_in_take = false;
        break;
      case WITNESS_PREEMPTED:
        seen.holder_preempted += inside;
        break;
      default:
        break;
    }
  }
  return seen;
}

}  // namespace gilscope::witness
