#include "userspace/report/invariants.h"

#include <fmt/format.h>

#include <set>
#include <tuple>

#include "userspace/base/quote.h"
#include "userspace/report/sums.h"

namespace gilscope {
namespace {

class Checker {
 public:
  explicit Checker(const Report& report) : report_(report) {}

  std::vector<std::string> check() {
    std::set<std::tuple<std::string, std::string, std::string, int, std::string, std::string,
                        std::string, std::string>>
        cells;
    for (size_t c = 0; c < report_.cells.size(); ++c) {
      const Cell& cell = report_.cells[c];
      place_ = fmt::format("/cells/{}", c);
      if (!cells
               .emplace(cell.policy, cell.workload, cell.arrangement, cell.threads, cell.cpus,
                        cell.cpus_by, cell.cpu_order, cell.main_exit)
               .second) {
        broken("the same cell a second time");
      }
      std::set<std::pair<int, std::string>> runs;
      for (size_t r = 0; r < cell.runs.size(); ++r) {
        const Run& run = cell.runs[r];
        place_ = fmt::format("/cells/{}/runs/{}", c, r);
        // A block that was cut short is run again, and its earlier runs stay.
        if (run.status != "interrupted" && !runs.emplace(run.block, run.trace).second) {
          broken(fmt::format("block {} has a second run with trace \"{}\"", run.block, run.trace));
        }
        check_plan(run);
        check_gates(run);
        if (run.status != "done") continue;
        check_threads(run);
        if (run.traced()) check_cores(run);
      }
    }
    return std::move(lines_);
  }

 private:
  void broken(std::string what) { lines_.push_back(place_ + ": " + std::move(what)); }

  void equal(const char* left, uint64_t a, const char* right, uint64_t b) {
    if (a != b) broken(fmt::format("{} is {}, but {} is {}", left, a, right, b));
  }

  void check_plan(const Run& run) {
    const int64_t blocks = int64_t(report_.warmup_planned) + report_.blocks_planned;
    if (run.block >= blocks) {
      broken(fmt::format("block {} of {} planned (counted from 0)", run.block, blocks));
    } else if (run.warmup != (run.block < report_.warmup_planned)) {
      broken(fmt::format("block {} is {}marked as a warm-up one, of which {} are planned first",
                         run.block, run.warmup ? "" : "not ", report_.warmup_planned));
    }
  }

  void check_gates(const Run& run) {
    std::set<std::string> gates;
    for (const GateResult& result : run.gates) {
      if (!gates.insert(result.gate).second) {
        broken(fmt::format("the gate {} a second time", in_quotes(result.gate)));
      }
      if (result.value && !(*result.value > result.limit)) {
        broken(fmt::format("the gate {} marks {}, which is not above its limit of {}",
                           in_quotes(result.gate), *result.value, result.limit));
      }
    }
  }

  void check_threads(const Run& run) {
    GilCounts sum;
    for (size_t t = 0; t < run.threads.size(); ++t) {
      const Thread& thread = run.threads[t];
      sum += thread.gil;
      if (thread.trace && thread.trace->gil != thread.gil) {
        broken(fmt::format("threads/{}: gil of its segments differs from its own", t));
      }
    }
    if (report_.lacks("threads")) return;
#define GIL(key, definition) equal("the threads' " #key, sum.key, "gil." #key, run.gil.key);
#include "bpf/numbers.def"
  }

  void check_cores(const Run& run) {
    const bool cores = !report_.lacks("cores");
    uint64_t segments = 0, dropped = 0;
    std::set<int> cpus;
    for (const Core& core : run.cores) {
      if (!cpus.insert(core.cpu).second) broken(fmt::format("cpu {} a second time", core.cpu));
      segments += core.segments;
      dropped += core.records_dropped;
    }
    if (cores) check_sums(run);

    uint64_t of_threads = 0;
    for (const Thread& thread : run.threads)
      of_threads += thread.trace ? thread.trace->segments : 0;
    if (cores && !report_.lacks("threads")) {
      equal("the threads' segments", of_threads, "the cores' segments", segments);
    }

    if (!run.lost) {
      broken("traced, but \"lost\" is null");
    } else if (run.trace == "full" && cores) {
      equal("the cores' records_dropped", dropped, "lost.segments", run.lost->segments);
      equal("segment_records + lost.segments", run.segment_records + run.lost->segments,
            "the cores' segments", segments);
    }
  }

  // The slots grew in the segments of all CPUs by what the threads counted.
  void check_sums(const Run& run) {
#define GILSCOPE_SUM_own(path, key)
#define GILSCOPE_SUM_both(path, key)
#define GILSCOPE_SUM_remote(path, key)
#define GILSCOPE_SUM_running(path, key)
#define GILSCOPE_SUM_occupant(path, key)
#define GILSCOPE_SUM_gil(path, key)                                                       \
  if (const auto sum = sum_over(run.cores, [](const Core& core) { return core.path; })) { \
    equal("the cores' " #key, *sum, "gil." #key, run.gil.key);                            \
  }
#define CPU_NUMBER(path, field, csv, from, ...) GILSCOPE_SUM_##from(path, field)
#include "bpf/numbers.def"
  }

  const Report& report_;
  std::string place_;
  std::vector<std::string> lines_;
};

}  // namespace

std::vector<std::string> broken_invariants(const Report& report) {
  return Checker(report).check();
}

}  // namespace gilscope
