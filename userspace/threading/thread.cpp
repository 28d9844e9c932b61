#include "userspace/threading/thread.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>

namespace gilscope::threading {

struct ThreadState {
  Thread::Body body;
  std::mutex mutex;
  std::condition_variable ended_changed;
  std::string name;
  bool daemon = false;
  bool started = false;
  bool ended = false;
  pthread_t handle{};  // valid while started and not ended

  // The kernel keeps 15 bytes of a name.
  void tell_kernel() { pthread_setname_np(handle, name.substr(0, 15).c_str()); }
};

namespace {

// The state of the calling thread, if it is a Thread.
thread_local ThreadState* current = nullptr;

std::string generated_name() {
  static std::atomic<int> count{0};
  return fmt::format("Thread-{}", ++count);
}

// Threads of the harness need little stack, and there may be thousands.
constexpr size_t kStackBytes = 256 * 1024;

// The threads that the end of main waits for.
class Running {
 public:
  void add(std::function<void()> join) {
    std::lock_guard lock(mutex_);
    joins_.push_back(std::move(join));
  }
  std::optional<std::function<void()>> take() {
    std::lock_guard lock(mutex_);
    if (joins_.empty()) return std::nullopt;
    auto join = std::move(joins_.back());
    joins_.pop_back();
    return join;
  }

 private:
  std::mutex mutex_;
  std::vector<std::function<void()>> joins_;
};

Running& running() {
  static Running* instance = new Running;  // daemon threads may outlive static destruction
  return *instance;
}

void* thread_main(void* argument) {
  // Holds the state while the body runs, whatever becomes of the Thread.
  std::unique_ptr<std::shared_ptr<ThreadState>> owned(
      static_cast<std::shared_ptr<ThreadState>*>(argument));
  std::shared_ptr<ThreadState> state = *owned;
  current = state.get();
  {
    std::lock_guard lock(state->mutex);
    state->handle = pthread_self();
    state->tell_kernel();
  }
  state->body();
  std::lock_guard lock(state->mutex);
  state->ended = true;
  state->ended_changed.notify_all();
  return nullptr;
}

}  // namespace

Thread::Thread(Body body, std::string name, std::optional<bool> daemon)
    : state_(std::make_shared<ThreadState>()) {
  state_->body = std::move(body);
  state_->name = name.empty() ? generated_name() : std::move(name);
  state_->daemon = daemon.value_or(current_thread_daemon());
}

Thread::~Thread() = default;
Thread::Thread(Thread&&) noexcept = default;
Thread& Thread::operator=(Thread&&) noexcept = default;

Status Thread::start() {
  std::lock_guard lock(state_->mutex);
  if (state_->started) {
    return fail(fmt::format("thread {}: threads can only be started once", state_->name));
  }
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, kStackBytes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  auto argument = std::make_unique<std::shared_ptr<ThreadState>>(state_);
  int error = pthread_create(&state_->handle, &attributes, thread_main, argument.get());
  pthread_attr_destroy(&attributes);
  if (error) {
    return fail_errno(fmt::format("cannot start thread {}; is the limit on processes (ulimit -u, "
                                  "pids.max) or on memory (ulimit -v) too low?",
                                  state_->name),
                      error);
  }
  argument.release();
  state_->started = true;
  if (!state_->daemon) {
    running().add([state = state_] {
      std::unique_lock wait(state->mutex);
      state->ended_changed.wait(wait, [&] { return state->ended; });
    });
  }
  return {};
}

Status Thread::join() {
  return join_for(std::chrono::nanoseconds::max());
}

Status Thread::join_for(std::chrono::nanoseconds timeout) {
  std::unique_lock lock(state_->mutex);
  if (!state_->started) {
    return fail(fmt::format("thread {}: cannot join a thread before it is started", state_->name));
  }
  if (current == state_.get()) {
    return fail(fmt::format("thread {}: cannot join the current thread", state_->name));
  }
  auto ended = [&] { return state_->ended; };
  // Now + timeout must not overflow the clock; a century stands for ever.
  if (timeout > std::chrono::hours(24 * 36525)) {
    state_->ended_changed.wait(lock, ended);
  } else {
    state_->ended_changed.wait_for(lock, timeout, ended);
  }
  return {};
}

bool Thread::is_alive() const {
  std::lock_guard lock(state_->mutex);
  return state_->started && !state_->ended;
}

std::string Thread::name() const {
  std::lock_guard lock(state_->mutex);
  return state_->name;
}

void Thread::set_name(std::string name) {
  std::lock_guard lock(state_->mutex);
  state_->name = std::move(name);
  if (state_->started && !state_->ended) state_->tell_kernel();
}

bool Thread::daemon() const {
  std::lock_guard lock(state_->mutex);
  return state_->daemon;
}

Status Thread::set_daemon(bool daemon) {
  std::lock_guard lock(state_->mutex);
  if (state_->started) {
    return fail(
        fmt::format("thread {}: cannot set daemon once the thread was started", state_->name));
  }
  state_->daemon = daemon;
  return {};
}

std::string current_thread_name() {
  if (!current) return "MainThread";
  std::lock_guard lock(current->mutex);
  return current->name;
}

bool current_thread_daemon() {
  if (!current) return false;
  std::lock_guard lock(current->mutex);
  return current->daemon;
}

void join_all_non_daemon_threads() {
  while (auto join = running().take()) (*join)();
}

}  // namespace gilscope::threading
