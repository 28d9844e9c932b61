#include "userspace/experiment/program/script_run.h"

#include <poll.h>

#include <algorithm>

#include "userspace/base/quote.h"

namespace gilscope {
namespace {

// Accounts of threads that have ended are taken at least so often.
constexpr uint64_t kHousekeepingNs = 100'000'000;

}  // namespace

tl::unexpected<Error> ScriptRun::died() {
  ended_ = process_.wait();
  return fail(fmt::format("{} {}", name_, process_.how_it_ended(*ended_)));
}

Status ScriptRun::say(std::string_view word) {
  if (Status said = process_.say(word); !said) {
    return fail(fmt::format("{}: {}", name_, said.error().message));
  }
  return {};
}

Status ScriptRun::take_message(ScriptMessage message) {
  if (const auto* failed = std::get_if<script::Failed>(&message)) {
    return fail(fmt::format("{} says: {}", name_, failed->why));
  }
  if (const auto* measured = std::get_if<script::Samples>(&message)) return samples(*measured);
  if (said_) return fail(fmt::format("{} said more than it was asked for", name_));
  said_ = std::move(message);
  return {};
}

Status ScriptRun::take_messages() {
  auto messages = process_.read_results();
  if (!messages) return fail(fmt::format("{}: {}", name_, messages.error().message));
  for (ScriptMessage& message : *messages) {
    if (Status taken = take_message(std::move(message)); !taken) return taken;
  }
  return {};
}

Status ScriptRun::step(uint64_t deadline_ns, const std::string& what) {
  pollfd fds[] = {{process_.process_fd(), POLLIN, 0},
                  {interrupt_.fd(), POLLIN, 0},
                  {process_.results_to_read(), POLLIN, 0},
                  {process_.errors_to_read(), POLLIN, 0},
                  {tracer_ != nullptr ? tracer_->doorbell_fd() : -1, POLLIN, 0},
                  {client_ != nullptr ? client_->fd() : -1, POLLIN, 0},
                  {stops_.fd(), POLLIN, 0}};
  const uint64_t now = monotonic_ns();
  if (now >= deadline_ns) return fail(fmt::format("{} did not {} in time", name_, what));
  const uint64_t wait_ns =
      std::min(deadline_ns - now, tracer_ != nullptr ? kHousekeepingNs : UINT64_MAX);
  const int timeout_ms = static_cast<int>(std::min<uint64_t>(wait_ns / 1'000'000 + 1, 1 << 30));
  if (::poll(fds, std::size(fds), timeout_ms) < 0 && errno != EINTR) return fail_errno("poll");
  if (fds[6].revents != 0) stops_.read_child_signals();
  if (fds[1].revents != 0 && interrupt_.requested()) {
    interrupted_ = true;
    return fail(Exit::interrupted, "interrupted");
  }
  if (tracer_ != nullptr && kept_) {
    kept_ = tracer_->drain();
    if (!kept_) return kept_;
  }
  if (fds[3].revents != 0) process_.read_errors();
  // Messages from before its end come first.
  if (fds[2].revents != 0) {
    if (Status taken = take_messages(); !taken || said_) return taken;
  }
  if (fds[5].revents != 0) {
    ClientProcess* const client = client_;
    client_ = nullptr;
    if (Status ended = client->end_status(); !ended) return ended;
  }
  if (fds[0].revents != 0) {
    if (Status taken = take_messages(); !taken || said_) return taken;
    return died();
  }
  return {};
}

Result<CommandEnd> ScriptRun::wait_for_end(uint64_t patience_ns) {
  const uint64_t deadline = monotonic_ns() + patience_ns;
  for (;;) {
    const Status stepped = step(deadline, "end");
    if (ended_) return *ended_;
    if (!stepped) return fail(stepped.error());
    if (said_) return fail(fmt::format("{} said more than it was asked for", name_));
  }
}

}  // namespace gilscope
