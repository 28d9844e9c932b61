// The state of traced processes and their locks over the last interval, for `gilscope top` to draw.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "userspace/live/lock_watch.h"
#include "userspace/report/model.h"

namespace gilscope {

struct Picture {
  // Of what happened in the interval; of a CPU, a thread or a process.
  struct Counts {
    uint64_t on_cpu_ns = 0, wakeups = 0, failed = 0, wasted_wakeups = 0, holder_preempted = 0;
    uint64_t segments = 0;

    Counts& operator+=(const Counts& other);
    bool operator==(const Counts&) const = default;
  };
  struct Cpu {
    int cpu = 0;
    Counts counts;
  };
  enum class Being : uint8_t { asleep, waits, ready, runs, holds };
  struct Thread {
    ThreadName name;
    Being being = Being::asleep;
    int cpu = -1;  // where the kernel has it
    Counts counts;
    std::optional<uint64_t> waited_ns;       // empty: only segments tell, and they are not read
    std::optional<uint64_t> waiting_for_ns;  // of the wait that goes on
  };
  struct Holder {
    ThreadName name;
    std::optional<bool> held;
    std::optional<uint64_t> for_ns;
  };
  struct Process {
    pid_t pid = 0;
    bool ended = false;
    std::optional<CellSubject> subject;
    std::optional<Holder> holder;
    Counts counts;
    std::vector<Cpu> cpus;
    std::vector<Thread> threads;
    std::optional<LockWatch::Since> since;  // empty: only segments tell, and they are not read
  };

  uint64_t span_ns = 0;            // the interval
  uint64_t running_ns = 0;         // since the window was opened
  std::vector<Process> processes;  // the busiest first
  Lost lost;                       // since the window was opened
  double own_share = 0;            // of one CPU, that this program took in the interval
  std::string not_read;            // why segments are not read; empty: they are
  std::string command;
};

// What to show of it, and on how much room.
struct PictureLayout {
  enum class Order : uint8_t { waited, on_cpu, failed, wasted, name };

  int width = 80;
  int height = 0;  // 0: as many lines as there are
  Order order = Order::waited;
  pid_t process = 0;  // 0: the busiest one
  bool paused = false;
  bool keys = false;  // tell the keys
  bool utf8 = false;
};

using DrawPicture = std::function<std::vector<std::string>(const Picture&, const PictureLayout&)>;

// The halves of `top` that tools/ has.
struct LiveViews {
  MakeLockWatch watch;
  DrawPicture draw;
};

}  // namespace gilscope
