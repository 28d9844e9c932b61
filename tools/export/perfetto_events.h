// Slices, marks and counter values on tracks. Names are interned: each stands once, in the first
// packet.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>

#include "tools/export/perfetto_packets.h"

namespace gilscope::perfetto {

enum class Name : uint64_t {
  holding = 1,
  waiting,
  released,
  acquired,
  forced_switch,
  wasted_wakeup,
  drop_request,
};

enum class Note : uint64_t {
  requests = 1,
  waiters,
  latency_ns,
  records_dropped,
};

struct Annotation {
  Note name;
  uint64_t value;
};
using Annotations = std::initializer_list<Annotation>;

// An arrow goes from the mark that begins a flow to the one that ends it.
struct Flow {
  enum class End : uint8_t { none, begins, ends };
  End end = End::none;
  uint64_t id = 0;
};

class Events {
 public:
  explicit Events(Packets& packets) : packets_(packets) {}

  // Writes the names, and the clock of every timestamp. Must come first.
  void declare();

  void slice(uint64_t track, uint64_t from_ns, uint64_t to_ns, Name name);
  void slice(uint64_t track, uint64_t from_ns, uint64_t to_ns, const std::string& name);
  void mark(uint64_t track, uint64_t ns, Name name, Annotations annotations = {}, Flow flow = {});
  void mark(uint64_t track, uint64_t ns, const std::string& name, Annotations annotations);
  void counter(uint64_t track, uint64_t ns, uint64_t value);

 private:
  template <typename Fill>
  void event(uint64_t track, uint64_t ns, int32_t type, Fill fill);

  Packets& packets_;
};

}  // namespace gilscope::perfetto
