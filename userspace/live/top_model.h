// Makes a Picture a second: what counters grew by, and what each process's LockWatch has found.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "userspace/live/picture.h"
#include "userspace/live/reader.h"

namespace gilscope {

class TopModel : public RecordingReader {
 public:
  explicit TopModel(MakeLockWatch make_watch) : make_watch_(std::move(make_watch)) {}

  void segments(uint32_t process, std::span<const gilscope_segment> segments) override;
  void thread_ended(const LiveThread& thread) override;
  void process_ended(uint32_t place, const std::vector<CpuTrace>& cpus) override;

  // Nothing is still to come that was before this. `threads` are those that are there.
  void settled(uint64_t ns, const std::vector<LiveThread>& threads);
  // From here on segments are read, or not: what was known of the locks is forgotten.
  void read_segments(bool read);

  // Of the time since the picture before; the first one counts from `began_ns`.
  Picture picture(const LiveState& state, uint64_t began_ns);
  // Of all processes, in the last picture's interval.
  double segments_per_s() const { return segments_per_s_; }

 private:
  struct OfThread {
    uint64_t entered_ns = 0;  // which thread it is; 0: none
    Picture::Counts before;
  };
  struct OfProcess {
    std::map<int, Picture::Counts> before;  // by CPU
    std::unique_ptr<LockWatch> watch;
  };

  LockWatch& watch_of(uint32_t process);
  Picture::Thread thread_of(const LiveThread& live, const LiveProcess* process, uint64_t now_ns);
  Picture::Process process_of(const LiveProcess& live, uint64_t now_ns);

  MakeLockWatch make_watch_;
  bool read_ = true;
  std::vector<OfThread> threads_;            // by slot
  std::map<uint32_t, OfProcess> processes_;  // by place
  uint64_t last_ns_ = 0;
  double segments_per_s_ = 0;
};

}  // namespace gilscope
