// The record of each traced process: its threads, in the order in which they were first
// seen, and its segments, whose `thread` is an index into that order.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "userspace/base/result.h"
#include "userspace/live/reader.h"
#include "userspace/report/model.h"
#include "userspace/report/out_dir.h"
#include "userspace/subject/subject.h"
#include "userspace/tracer/subject_tracer.h"

namespace gilscope {

struct FollowedProcess {
  uint32_t place = 0;  // in the tracer's table
  pid_t pid = 0;       // as this process sees it
  bool ended = false;
  std::optional<Subject> subject;       // once it is known to run an interpreter
  size_t threads_before = 1;            // when it began to be followed
  std::vector<Thread> threads;          // those whose account has been taken are complete
  std::map<uint32_t, size_t> expected;  // by tid: threads that have a place among them already
  gilscope_looks looks = {};            // of those
  // A thread of the process was seen to be a GIL's holder, at least its last one.
  bool holder_seen = false;

  // Segments wait in memory until it is known that the process runs an interpreter.
  std::vector<gilscope_segment> waiting;
  std::map<int, uint64_t> dropped_on;  // by CPU: those for which there was no room there
  std::optional<SegmentWriter> writer;
  std::string segments_file;
  uint64_t records = 0;             // written, or to be
  size_t cell = 0;                  // where there is a subject
  uint32_t threads_when_found = 0;  // that had started when its GILs were last looked for
  uint64_t found_ns = 0;            // and when that was
  ResourceUsage used_before;        // what it had used when it began to be followed
  ResourceUsage usage;              // the same by the last reading
};

class Followed {
 public:
  // `out`: where segments go; null: nowhere. With a `reader`, threads and processes that have ended
  // are handed to it and forgotten, so that memory does not grow. Files of segments name the cell,
  // from `first_cell` on, and the block.
  Followed(SubjectTracer& tracer, const OutDir* out, const std::string& report_id,
           RecordingReader* reader = nullptr, size_t first_cell = 0, int block = 0)
      : tracer_(tracer),
        out_(out),
        report_id_(report_id),
        reader_(reader),
        owner_(tracer.threads().size()),
        block_(block),
        cells_(first_cell) {}

  // Notes a process by its place in the table.
  FollowedProcess& add(uint32_t place, pid_t pid);
  FollowedProcess* at(uint32_t place);
  std::list<FollowedProcess>& processes() { return processes_; }

  // The process runs this interpreter: it gets a cell, and a file of segments.
  Status recognise(FollowedProcess& process, Subject subject);

  Status take(std::span<const gilscope_segment> segments);
  // The slots of threads that have left. All of their records are there to be taken.
  std::vector<uint32_t> ended_threads() const;
  // Takes their accounts, once their records have been taken, and gives their places free.
  void take_ended_threads(std::span<const uint32_t> slots);
  // Gives the places of processes free that have ended and ran no interpreter; with a reader, of
  // all that have ended.
  void forget_ended();
  // Takes the accounts of all threads that are left.
  void take_all_threads();
  Status finish();
  // Reads what each process that runs has used by now.
  void read_usages();
  // What is traced at the moment.
  LiveState live(std::span<const int> cpus);
  // A time before which nothing has happened but what the records say that are there now, or have
  // been taken: the earliest beginning of a segment that is not over, or now.
  uint64_t settled_ns() const;

 private:
  struct Owner {
    FollowedProcess* process = nullptr;
    size_t thread = 0;
  };
  Owner& owner_of(uint32_t slot);
  bool has_threads(uint32_t place) const;
  bool can_be_forgotten(const FollowedProcess& process);
  void take_thread(uint32_t slot);
  Status write(FollowedProcess& process, std::span<const gilscope_segment> segments);

  SubjectTracer& tracer_;
  const OutDir* out_;
  const std::string& report_id_;
  RecordingReader* reader_;
  std::list<FollowedProcess> processes_;
  std::map<uint32_t, FollowedProcess*> by_place_;
  std::vector<Owner> owner_;  // by slot
  int block_;
  size_t cells_;
};

}  // namespace gilscope
