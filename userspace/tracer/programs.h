// The BPF programs as loaded, their maps and their links: common to the tracer of the models' runs
// and to that of real programs.
#pragma once

#include <bpf/libbpf.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "bpf/counters.h"
#include "bpf/process.h"
#include "gilscope.skel.h"
#include "userspace/base/fd.h"
#include "userspace/base/mapping.h"
#include "userspace/base/result.h"
#include "userspace/report/facts.h"
#include "userspace/tracer/record_buffers.h"

namespace gilscope {

struct BpfCloser {
  void operator()(gilscope_bpf* skeleton) const { gilscope_bpf__destroy(skeleton); }
  void operator()(bpf_link* link) const { bpf_link__destroy(link); }
  void operator()(ring_buffer* ring) const { ring_buffer__free(ring); }
};
template <typename T>
using BpfOwned = std::unique_ptr<T, BpfCloser>;

struct ProgramOptions {
  uint32_t max_threads = 2;
  uint32_t max_processes = 0;  // of real programs; 0: a model's worker is traced
  uint64_t records_bytes = 64 << 20;
  bool records = true;
  bool raw_programs = false;
  bool lock = false;  // real programs are traced for a lock that is no GIL

  bool of_subject() const { return max_processes > 0; }
};

struct ProgramStatistics {
  uint64_t ns = 0, runs = 0, recursion_misses = 0;
};

class Programs {
 public:
  static Result<Programs> load(const ProgramOptions& options);

  // Clears what an earlier window left; the maps of real programs are the caller's.
  void clear();
  Status attach();
  void detach() { links_.clear(); }

  // Hands all records that are there to the sink; after its first failure they are only counted.
  Status drain(const RecordBuffers::Sink& sink);
  // From here on drain() hands over no records, and forgets them unread; or hands them over again.
  void read_records(bool read) { read_records_ = read; }
  int doorbell_fd() const;  // -1: no records
  uint64_t records() const { return records_; }
  ProgramStatistics statistics() const;
  Facts capabilities() const;

  gilscope_window& window() const { return skeleton_->data->window; }
  gilscope_bpf& skeleton() const { return *skeleton_; }
  std::span<gilscope_slot> board() const { return board_.span(); }
  std::span<gilscope_thread> threads() const { return threads_.span(); }
  std::span<gilscope_cpu> cpus() const { return cpus_.span(); }
  std::span<uint64_t> slot_of_tid() const { return slot_of_tid_.span(); }
  std::span<gilscope_process> processes() const { return processes_.span(); }
  std::span<uint64_t> process_of_tgid() const { return process_of_tgid_.span(); }
  std::span<gilscope_waiter> waiters() const { return waiters_.span(); }
  uint32_t possible_cpus() const { return possible_cpus_; }

 private:
  Programs() = default;
  Status map_all();
  std::vector<bpf_program*> attached() const;

  ProgramOptions options_;
  bool raw_ = false, prev_state_ = false;
  uint32_t possible_cpus_ = 1;
  BpfOwned<gilscope_bpf> skeleton_;
  Mapping<gilscope_slot> board_;
  Mapping<gilscope_thread> threads_;
  Mapping<gilscope_cpu> cpus_;
  Mapping<uint64_t> slot_of_tid_;
  Mapping<gilscope_process> processes_;
  Mapping<uint64_t> process_of_tgid_;
  Mapping<gilscope_waiter> waiters_;
  Mapping<gilscope_segment> records_of_cpus_;
  RecordBuffers buffers_;
  BpfOwned<ring_buffer> doorbell_;
  std::vector<BpfOwned<bpf_link>> links_;
  bool read_records_ = true;
  Status sink_status_;
  uint64_t records_ = 0;
};

}  // namespace gilscope
