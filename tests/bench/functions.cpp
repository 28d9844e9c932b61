// What single functions cost, timed by Google Benchmark: an uncontended acquire and release of each
// policy, a checkpoint that nobody waits behind, the board's stores, an opcode.
#include <benchmark/benchmark.h>

#include <cstring>
#include <memory>

#include "userspace/eval/speed.h"
#include "userspace/gil/gil.h"
#include "userspace/gil/policies.h"

namespace gilscope {
namespace {

std::unique_ptr<Gil> gil_of(benchmark::State& state, const char* policy) {
  auto gil = make_gil(policy);
  if (gil) return std::move(*gil);
  state.SkipWithError(gil.error().message.c_str());
  return nullptr;
}

void acquire_and_release(benchmark::State& state, const char* policy) {
  const auto gil = gil_of(state, policy);
  if (!gil) return;
  gilscope_slot slot{};
  GilThread thread(slot);
  for (auto _ : state) {
    gil->acquire(thread);
    gil->release(thread);
  }
}

void checkpoint(benchmark::State& state, const char* policy) {
  const auto gil = gil_of(state, policy);
  if (!gil) return;
  gilscope_slot slot{};
  GilThread thread(slot);
  gil->acquire(thread);
  for (auto _ : state) gil->checkpoint(thread);
  gil->release(thread);
}

// All that the board adds to an uncontended acquire and release.
void board(benchmark::State& state) {
  gilscope_slot slot{};
  BoardSlot on_board(slot);
  for (auto _ : state) {
    on_board.acquired();
    benchmark::ClobberMemory();
    on_board.released();
    benchmark::ClobberMemory();
  }
}

void opcode(benchmark::State& state) {
  double ns = 0;
  for (auto _ : state) benchmark::DoNotOptimize(ns = measure_loop().ns_per_opcode);
  state.counters["ns_per_opcode"] = ns;
}

}  // namespace
}  // namespace gilscope

int main(int argc, char** argv) {
  for (const char* policy :
       {"check-interval:100", "check-interval:100,lock=condvar", "switch-interval:5ms", "fifo",
        "pypy", "gvl:100ms", "gvl-handoff:100ms", "bfs", "priority", "sharded:16", "none"}) {
    const std::string name = policy;
    benchmark::RegisterBenchmark(("acquire+release/" + name).c_str(), gilscope::acquire_and_release,
                                 policy);
    benchmark::RegisterBenchmark(("checkpoint/" + name).c_str(), gilscope::checkpoint, policy);
  }
  benchmark::RegisterBenchmark("board", gilscope::board);
  benchmark::RegisterBenchmark("opcode", gilscope::opcode);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
