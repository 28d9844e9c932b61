// The worker's side of the tracer: the programs that its threads run on themselves. In an untraced
// run every call does nothing, so that the same code runs traced and untraced.
#pragma once

#include <cstdint>

#include "userspace/base/result.h"

namespace gilscope {

class TraceControl {
 public:
  struct Programs {
    // Borrowed descriptors.
    int open_window = -1, close_window = -1, enter = -1, leave = -1, enrol = -1;
    uint64_t lead_ns = 0;  // how long ahead edges of the window are announced
  };

  TraceControl() = default;  // untraced
  explicit TraceControl(const Programs& programs) : programs_(programs), traced_(true) {}

  bool traced() const { return traced_; }
  const Programs& programs() const { return programs_; }

  // The window, for the worker's main thread. Each returns when the window has opened, or closed.
  Status open_window() const { return edge(programs_.open_window, "open_window"); }
  Status close_window() const { return edge(programs_.close_window, "close_window"); }
  // Traces the calling thread from here on, as the one with this slot of the board ...
  Status enter(uint32_t slot) const { return run(programs_.enter, "enter", slot); }
  // ... until here; its last segment is counted when it is next switched out.
  Status leave() const { return run(programs_.leave, "leave"); }

  // For a process that is about to execute a real program: follows it from here on, as the process
  // with this place in the table.
  Status enrol(uint32_t place) const { return run(programs_.enrol, "enrol", place); }

 private:
  Status edge(int program, const char* name) const;
  Status run(int program, const char* name, uint64_t argument = 0) const;

  Programs programs_;
  bool traced_ = false;
};

}  // namespace gilscope
