// ccbench's conversations over UDP (CPython 2.7 to 3.11, Tools/ccbench), with every sample kept and
// losses counted.
#pragma once

#include <span>

#include "userspace/workload/conversation.h"

namespace gilscope {

class Datagrams : public Conversation {
 protected:
  // A datagram begins with it.
  struct Heading {
    uint64_t sent_ns;  // 0: the last datagram
  };

  using Conversation::Conversation;

  Result<std::vector<Connection>> connect(size_t threads, uint16_t port) override;

  // Receives with the GIL released. Returns 0 at the end of the conversation.
  int64_t receive(const WorkThread& thread, std::span<char> buffer, Status& status) const;
  static Heading heading(std::span<const char> buffer);

  static void sleep_until(uint64_t ns);

  // A datagram can be lost, so the client repeats the last one until it is ended together with the
  // threads.
  [[noreturn]] void say_goodbye() const;
};

}  // namespace gilscope
