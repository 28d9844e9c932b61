#include "userspace/recording/search.h"

#include <algorithm>

#include "userspace/base/exceptions.h"
#include "userspace/subject/lock.h"
#include "userspace/subject/process_memory.h"

namespace gilscope {
namespace {

using namespace std::chrono_literals;

// An interpreter has loaded its libraries some milliseconds after it was executed, and threads that
// contend come later. A program that is none is asked less and less often: it may load one.
constexpr auto kFirstWait = 2ms, kLongestWait = 500ms;
constexpr int kTriesBeforeObserving = 4;
constexpr int kObserveMs = 400;

std::chrono::milliseconds wait_after(int tries) {
  return std::min<std::chrono::milliseconds>(kFirstWait * (1 << std::min(tries, 10)), kLongestWait);
}

}  // namespace

void Search::want(uint32_t place, pid_t pid, uint32_t threads) {
  const auto [entry, added] = wanted_.try_emplace(place);
  Wanted& wanted = entry->second;
  if (added) {
    wanted.pid = pid;
    wanted.due = Clock::now() + kFirstWait;
  } else if (wanted.threads < threads) {
    wanted.due = std::min(wanted.due, Clock::now());
  }
  wanted.threads = threads;
}

void Search::drop(uint32_t place) {
  wanted_.erase(place);
}

void Search::begin(uint32_t place) {
  const Wanted& wanted = wanted_[place];
  FindOptions options;
  options.observation = wanted.threads > 1 && wanted.tries >= kTriesBeforeObserving;
  options.observe_ms = kObserveMs;
  running_for_ = place;
  running_ = std::async(std::launch::async,
                        [pid = wanted.pid, options, lock = lock_]() -> Result<Subject> {
                          if (lock) return find_lock(pid, *lock, options);
                          if (interpreter_kind(pid).empty())
                            return fail(Exit::no_data, "no interpreter");
                          return find_subject(pid, options);
                        });
}

std::optional<Search::Found> Search::step() {
  std::optional<Found> found;
  if (running_.valid()) {
    if (running_.wait_for(0ms) != std::future_status::ready) return {};
    auto result = running_.get();
    const auto wanted = wanted_.find(running_for_);
    if (wanted != wanted_.end() && result) {
      found = Found{running_for_, std::move(*result)};
      wanted_.erase(wanted);
    } else if (wanted != wanted_.end()) {
      // That it has ended says less than why nothing was found while it ran.
      const bool says_more = why_not_.empty() || ProcessMemory::open(wanted->second.pid);
      const bool said = lock_ ? says_more : result.error().code != Exit::no_data;
      if (said) why_not_ = result.error().message;
      wanted->second.due = Clock::now() + wait_after(wanted->second.tries++);
    }
  }
  const auto next =
      std::ranges::min_element(wanted_, {}, [](const auto& entry) { return entry.second.due; });
  if (next != wanted_.end() && next->second.due <= Clock::now()) begin(next->first);
  return found;
}

std::optional<std::chrono::milliseconds> Search::wait() const {
  if (running_.valid()) return 1ms;
  const auto next =
      std::ranges::min_element(wanted_, {}, [](const auto& entry) { return entry.second.due; });
  if (next == wanted_.end()) return {};
  const auto left =
      std::chrono::duration_cast<std::chrono::milliseconds>(next->second.due - Clock::now());
  return std::max<std::chrono::milliseconds>(left, 0ms) + 1ms;
}

}  // namespace gilscope
