// Shared by the tests against the running kernel: a tracer, a runner, and cells in one line.
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "userspace/base/interrupt.h"
#include "userspace/experiment/run/runner.h"
#include "userspace/machine/cpus.h"
#include "userspace/machine/facts/parts.h"
#include "userspace/tracer/tracer.h"

namespace gilscope {

inline std::vector<int> all_cpus() {
  auto cpus = allowed_cpus();
  return cpus ? *cpus : std::vector<int>{0};
}

inline Cell make_cell(const std::string& policy, const std::string& workload, int threads,
                      const std::vector<int>& cpus, const std::string& arrangement = "threaded") {
  Cell cell;
  cell.policy = policy;
  cell.workload = workload;
  cell.arrangement = arrangement;
  cell.threads = threads;
  cell.cpus = cpus.size() == 1 ? "1" : "all";
  cell.cpu_list = cpus;
  cell.cpus_by = "affinity";
  cell.cpu_order = "cores-first";
  cell.main_exit = "join";
  return cell;
}

class KernelTest : public ::testing::Test {
 protected:
  void load(Tracer::Options options) {
    if (on_emulated_cpus()) options.lead = kEmulatedLead;
    auto loaded = Tracer::load(options);
    ASSERT_TRUE(loaded) << loaded.error().message;
    tracer_ = std::move(*loaded);
    if (!interrupt_) {
      auto watched = Interrupt::watch();
      ASSERT_TRUE(watched) << watched.error().message;
      interrupt_ = std::move(*watched);
    }
  }

  // One run; fails the test unless it is done.
  std::optional<gilscope::Run> run(const Cell& cell, const Runner::Options& options) {
    auto run = Runner(tracer_ ? &*tracer_ : nullptr, *interrupt_).run(cell, options);
    if (!run) {
      ADD_FAILURE() << run.error().message;
      return std::nullopt;
    }
    if (run->status != "done") {
      ADD_FAILURE() << run->status << " " << run->failure;
      return std::nullopt;
    }
    return std::move(*run);
  }

  std::optional<Tracer> tracer_;
  std::optional<Interrupt> interrupt_;
};

}  // namespace gilscope
