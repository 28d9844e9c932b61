// A script's run as a conversation: waits for what it says, and for everything that may end it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "userspace/base/interrupt.h"
#include "userspace/base/result.h"
#include "userspace/base/time.h"
#include "userspace/experiment/disturbance/stops.h"
#include "userspace/experiment/program/program_tracer.h"
#include "userspace/experiment/program/script_process.h"
#include "userspace/experiment/run/client.h"

namespace gilscope {

class ScriptRun {
 public:
  // `client` may be null.
  ScriptRun(ScriptProcess& process, ClientProcess* client, Stops& stops, Interrupt& interrupt,
            const std::string& name)
      : process_(process), client_(client), stops_(stops), interrupt_(interrupt), name_(name) {}

  // From here on records are taken as they come.
  void trace_by(ProgramTracer& tracer) { tracer_ = &tracer; }
  void trace_no_more() { tracer_ = nullptr; }

  Status say(std::string_view word);

  // Waits for one kind of message. Fails by name where the script says something else, ends or says
  // nothing for so long, where its client fails, and on an interrupt. Latencies are taken by
  // `samples` whenever they come.
  template <typename Message>
  Result<Message> wait_for(const char* what, uint64_t patience_ns);
  // Waits for its end, and fails likewise. `samples` takes what it says meanwhile.
  Result<CommandEnd> wait_for_end(uint64_t patience_ns);

  std::function<Status(const script::Samples&)> samples = [](const script::Samples&) {
    return fail("the script sends latencies that nobody asked for");
  };

  bool interrupted() const { return interrupted_; }
  // Why records could not be kept: a failure of gilscope's own.
  const Status& kept() const { return kept_; }
  // How it ended, where it has.
  const std::optional<CommandEnd>& ended() const { return ended_; }

 private:
  // Waits until something comes, and takes it. Fails as above.
  Status step(uint64_t deadline_ns, const std::string& what);
  Status take_messages();
  Status take_message(ScriptMessage message);
  tl::unexpected<Error> died();

  ScriptProcess& process_;
  ClientProcess* client_;
  Stops& stops_;
  Interrupt& interrupt_;
  std::string name_;
  ProgramTracer* tracer_ = nullptr;
  std::optional<ScriptMessage> said_;  // not yet waited for
  std::optional<CommandEnd> ended_;
  bool interrupted_ = false;
  Status kept_;
};

template <typename Message>
Result<Message> ScriptRun::wait_for(const char* what, uint64_t patience_ns) {
  const uint64_t deadline = monotonic_ns() + patience_ns;
  while (!said_) {
    if (Status stepped = step(deadline, what); !stepped) return fail(stepped.error());
  }
  auto* message = std::get_if<Message>(&*said_);
  if (message == nullptr) {
    return fail(fmt::format("{} said something else when it was to say {}", name_, what));
  }
  Message taken = std::move(*message);
  said_.reset();
  return taken;
}

}  // namespace gilscope
