// Every interpreter in an experiment, beside a model: where GILSCOPE_EVERY_PROGRAM asks for it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/interpreters/interpreter.h"
#include "tests/unit/temporary_directory.h"
#include "userspace/experiment/experiment.h"
#include "userspace/report/invariants.h"

namespace gilscope {
namespace {

TEST(Experiments, HaveEveryInterpreterBesideAModel) {
  if (std::getenv("GILSCOPE_EVERY_PROGRAM") == nullptr) GTEST_SKIP() << "takes a minute";
  auto inherited = Inherited::look();
  ASSERT_TRUE(inherited);
  const ProgramOwner owner{{}, *inherited};
  auto interrupt = Interrupt::watch();
  ASSERT_TRUE(interrupt) << interrupt.error().message;
  Spec spec;
  spec.policies = {"check-interval:100"};
  for (const RealInterpreter& interpreter : interpreters()) {
    spec.policies.push_back(interpreter.kind + ":" + interpreter.root + interpreter.path);
  }
  spec.workloads = {"count:n=50k", "convoy:seconds=100ms", "echo:background=1,seconds=100ms",
                    "latency:seconds=100ms"};
  spec.blocks = 1;
  spec.warmup = 0;
  const auto good = checked(spec);
  ASSERT_TRUE(good) << good.error().message;
  const auto files = look_at_interpreters(good->policies, owner);
  ASSERT_TRUE(files) << files.error().message;
  const TemporaryDirectory directory;
  auto out = OutDir::open(directory / "out");
  ASSERT_TRUE(out) << out.error().message;
  const auto limiter = make_affinity_limiter();
  const ExperimentOptions options{.spec = *good,
                                  .spec_text = to_toml(*good),
                                  .out = &*out,
                                  .limiter = *limiter,
                                  .owner = owner,
                                  .programs = *files};
  const auto report = run_experiment(options, *interrupt);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_THAT(broken_invariants(*report), testing::IsEmpty());
  for (const Cell& cell : report->cells) {
    EXPECT_EQ(cell.runs.size(), 2u);
    for (const gilscope::Run& run : cell.runs) {
      EXPECT_EQ(run.status, "done") << cell.policy << " " << cell.workload << ": " << run.failure;
      if (run.status == "done") EXPECT_GT(run.workload.at("operations"), 0) << cell.policy;
    }
  }
}

}  // namespace
}  // namespace gilscope
