// A workload is what the threads do: a program for the eval loop, what counts as one operation, and
// with some a client at the other end of a conversation.
//
// One object serves a run. The process that runs the experiment makes and prepares it; the worker
// and the client are forked off with a copy each.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "userspace/eval/interpreter.h"
#include "userspace/util/result.h"
#include "userspace/workload/parameters.h"
#include "userspace/workload/samples.h"

namespace gilscope {

struct WorkloadInfo {
  std::string name;                    // "count:n=20M"
  std::string summary;                 // one line
  std::string parameters;              // one line
  std::vector<std::string> arguments;  // "n=", "task=regex": how each can be begun
};
const std::vector<WorkloadInfo>& workload_list();

// What one measured thread works with. It holds the GIL when it is given this, and when it is done.
struct WorkThread {
  Interpreter& interpreter;
  size_t index;  // among the measured threads
  SampleWriter samples;
  uint64_t& operations;  // seen by other processes while it grows

  void did_one() const {
    std::atomic_ref<uint64_t>(operations).store(operations + 1, std::memory_order_relaxed);
  }
};

// What one measured thread does before it ends, alone on this box and under this policy.
struct Work {
  double computing_s = 0;  // with the GIL
  double released_s = 0;   // computing without it
  double blocked_s = 0;
  double turns = 0;  // how often it gives the GIL up by itself, and has to get it again
};

// Beside the measured threads there may be computing ones, daemons that run until the process ends.
struct Background {
  size_t threads = 0;
  std::string task;  // tasks.h
};

class Workload {
 public:
  explicit Workload(const Parameters& parameters);
  virtual ~Workload() = default;

  const Background& background() const { return background_; }

  // A run lasts as long as it was told to, and not until some work is done. One thread after the
  // other would take longer by construction, so such workloads have no sequential arrangement.
  virtual bool bounded_by_time() const { return false; }
  // Whether latencies are measured.
  virtual bool takes_samples() const { return false; }
  virtual bool has_client() const { return false; }

  // For the plan. Empty where nothing but time bounds it.
  virtual std::optional<Work> work(const std::string& /*policy*/) const { return std::nullopt; }
  // After how long it ends though it has not done its work.
  virtual std::optional<uint64_t> bound_ns() const { return std::nullopt; }

  // Before the processes are forked: opens what they need. Fails where a port is in use, or a
  // directory cannot be written.
  virtual Status prepare(size_t /*threads*/) { return {}; }
  virtual std::vector<int> worker_descriptors() const { return {}; }
  virtual std::vector<int> client_descriptors() const { return {}; }

  // In the worker's main thread, when the gates have opened.
  virtual void begin() {}
  // The body of one measured thread.
  virtual Status run(const WorkThread& thread) = 0;
  // The body of the client.
  virtual Status converse(const SampleBook& /*samples*/) { return {}; }

  // After the run: what only this workload knows of it.
  virtual void add_results(std::map<std::string, double>& /*results*/) const {}

  // How long main sleeps before it comes to its end, for runs with main_exit = "kill"; empty: not
  // at all.
  virtual std::optional<uint64_t> main_sleep_ns() const { return std::nullopt; }

 private:
  Background background_;
};

// Checks a workload's text and returns its canonical form, or says what is wrong.
Result<std::string> canonical_workload(std::string_view text);

Result<std::unique_ptr<Workload>> make_workload(std::string_view text);

}  // namespace gilscope
