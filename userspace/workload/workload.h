// A workload is what the threads do: a program for the eval loop, and for some a client at the
// other end of a conversation. Names, parameters and all that is known of a workload without
// running it: userspace/descriptor/workload.h.
//
// One object serves one run. The process that runs the experiment makes and prepares it; the worker
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

#include "userspace/base/result.h"
#include "userspace/descriptor/workload.h"
#include "userspace/eval/interpreter.h"
#include "userspace/workload/samples.h"

namespace gilscope {

// What one measured thread works with. It holds the GIL before and after.
struct WorkThread {
  Interpreter& interpreter;
  size_t index;  // among the measured threads
  SampleWriter samples;
  uint64_t& operations;  // other processes read it while it grows

  void count_operation() const {
    std::atomic_ref<uint64_t>(operations).store(operations + 1, std::memory_order_relaxed);
  }
};

// What one measured thread does before it ends, alone on this machine and under one policy.
struct Work {
  double computing_s = 0;  // with the GIL
  double released_s = 0;   // computing without it
  double blocked_s = 0;
  double turns = 0;  // times that it gives the GIL up by itself and has to get it again
};

// Computing threads beside the measured ones: daemons that run until the process ends.
struct Background {
  size_t threads = 0;
  std::string task;  // tasks.h
};

class Workload {
 public:
  explicit Workload(const Parameters& parameters);
  virtual ~Workload() = default;

  const Background& background() const { return background_; }

  // It measures latencies.
  virtual bool takes_samples() const { return false; }
  // ... in its client; else in its measured threads.
  virtual bool client_takes_samples() const { return false; }
  virtual bool has_client() const { return false; }

  // For the plan. Empty where only time bounds the workload.
  virtual std::optional<Work> work(const std::string& /*policy*/) const { return std::nullopt; }
  // The time after which it ends, its work done or not.
  virtual std::optional<uint64_t> bound_ns() const { return std::nullopt; }

  // Opens what the processes need, before they are forked. Fails if a port is in use or a directory
  // cannot be written.
  virtual Status prepare(size_t /*threads*/) { return {}; }
  virtual std::vector<int> worker_descriptors() const { return {}; }
  virtual std::vector<int> client_descriptors() const { return {}; }
  // Of the first ones: each measured thread's own, its end of a conversation or its file.
  virtual std::vector<int> server_descriptors() const { return {}; }

  // Called in the worker's main thread when the barriers have opened.
  virtual void begin() {}
  // The body of one measured thread.
  virtual Status run(const WorkThread& thread) = 0;
  // The body of the client.
  virtual Status converse(const SampleBook& /*samples*/) { return {}; }

  // Adds what only this workload knows, after the run.
  virtual void add_results(std::map<std::string, double>& /*results*/) const {}

  // How long main sleeps before it ends, in runs with main_exit = "kill". Empty: not at all.
  virtual std::optional<uint64_t> main_sleep_ns() const { return std::nullopt; }

 private:
  Background background_;
};

Result<std::unique_ptr<Workload>> make_workload(std::string_view text);

}  // namespace gilscope
