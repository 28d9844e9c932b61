// The cost of single functions, timed by Google Benchmark: an uncontended acquire and release of
// each policy, a checkpoint with no waiter, the board's stores, an opcode, and the reader's path
// from two CPUs' buffers to the file of segments.
#include <benchmark/benchmark.h>

#include <fcntl.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <memory>
#include <vector>

#include "userspace/base/fd.h"
#include "userspace/eval/speed.h"
#include "userspace/gil/gil.h"
#include "userspace/gil/policies.h"
#include "userspace/report/segment_file.h"
#include "userspace/tracer/record_buffers.h"

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

// Everything that the board adds to an uncontended acquire and release.
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
  for (auto _ : state) ns = measure_loop().ns_per_opcode;
  state.counters["ns_per_opcode"] = ns;
}

// Two full buffers, merged, packed and written; an item is a segment.
void reader(benchmark::State& state) {
  constexpr size_t kPerCpu = 1 << 16, kCpus = 2;
  std::vector<gilscope_segment> records(kPerCpu * kCpus);
  std::vector<gilscope_cpu> cpus(kCpus);
  for (size_t i = 0; i < records.size(); ++i) {
    records[i].ready_ns = i % kPerCpu * 1'000;
    records[i].run_ns = records[i].ready_ns + 200;
    records[i].end_ns = records[i].ready_ns + 900;
    records[i].thread = static_cast<__u32>(i % 2);
    records[i].cpu = static_cast<__u16>(i / kPerCpu);
    records[i].began = GILSCOPE_BEGAN_PREEMPTED;
  }
  RecordBuffers buffers(records, cpus, kPerCpu);
  char pattern[] = "/var/tmp/gilscope-bench.XXXXXX";
  if (!::mkdtemp(pattern)) return state.SkipWithError("cannot make a directory below /var/tmp");
  {
    const Fd directory(::open(pattern, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    auto file = SegmentWriter::create(directory.get(), "segments", {});
    for (auto _ : state) {
      for (gilscope_cpu& cpu : cpus) cpu.written += kPerCpu;
      const auto taken = buffers.take(
          UINT64_MAX, [&](std::span<const gilscope_segment> some) { return file->write(some); });
      if (!taken) state.SkipWithError(taken.error().message.c_str());
    }
    state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(records.size()));
  }
  std::filesystem::remove_all(pattern);
}

}  // namespace
}  // namespace gilscope

int main(int argc, char** argv) {
  std::vector<std::string> policies;
  for (const gilscope::PolicyDescriptor& policy : gilscope::policies()) {
    for (const std::string& form : policy.forms()) policies.push_back(form);
  }
  for (const std::string& policy : policies) {
    benchmark::RegisterBenchmark(("acquire+release/" + policy).c_str(),
                                 gilscope::acquire_and_release, policy.c_str());
    benchmark::RegisterBenchmark(("checkpoint/" + policy).c_str(), gilscope::checkpoint,
                                 policy.c_str());
  }
  benchmark::RegisterBenchmark("board", gilscope::board);
  benchmark::RegisterBenchmark("opcode", gilscope::opcode);
  // A fixed number, because the file grows by 6 MB in each iteration.
  benchmark::RegisterBenchmark("reader", gilscope::reader)->Iterations(40);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
