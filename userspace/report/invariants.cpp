#include "userspace/report/invariants.h"

#include <fmt/format.h>

#include <set>
#include <tuple>

#include "userspace/base/quote.h"
#include "userspace/report/fields.h"
#include "userspace/report/sums.h"

namespace gilscope {
namespace {

class Checker {
 public:
  explicit Checker(const Report& report) : report_(report) {}

  std::vector<std::string> check() {
    std::set<std::tuple<std::string, std::string, std::string, int, std::string, std::string,
                        std::string, std::string, int>>
        cells;
    for (size_t c = 0; c < report_.cells.size(); ++c) {
      const Cell& cell = report_.cells[c];
      place_ = fmt::format("/cells/{}", c);
      if (!cells
               .emplace(cell.policy, cell.workload, cell.arrangement, cell.threads, cell.cpus,
                        cell.cpus_by, cell.cpu_order, cell.main_exit, cell.pid())
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
        check_disturbances(run);
        if (run.status != "done") continue;
        if (!run.gil.doubt.empty()) {
          broken("its counts of the GIL are not to be believed: " + printable(run.gil.doubt));
        }
        check_gil(cell, run);
        check_threads(run);
        if (run.traced()) check_cpus(run);
      }
    }
    return std::move(lines_);
  }

 private:
  void broken(std::string what) { lines_.push_back(place_ + ": " + std::move(what)); }

  using Count = std::optional<uint64_t>;

  static std::string text_of(Count count) { return count ? std::to_string(*count) : "null"; }

  void equal(const char* left, Count a, const char* right, Count b) {
    if (a != b) broken(fmt::format("{} is {}, but {} is {}", left, text_of(a), right, text_of(b)));
  }

  // Empty where one of them is.
  static Count sum_of(std::initializer_list<Count> counts) {
    uint64_t sum = 0;
    for (const Count& count : counts) {
      if (!count) return {};
      sum += *count;
    }
    return sum;
  }

  // The kinds of runs have numbers of their own: only a model's GIL lets itself be seen whole, and
  // only a real program's failures need an equation to vouch for them.
  void check_gil(const Cell& cell, const Run& run) {
    const GilCounts& gil = run.gil;
    const auto known = [&](const char* key, Count count, bool must_be) {
      if (count.has_value() == must_be) return;
      broken(fmt::format("gil.{} is {}, in the run of a {}", key, text_of(count),
                         cell.subject ? "real program" : "model"));
    };
#define GILSCOPE_KNOWN_always(key)
#define GILSCOPE_KNOWN_optional(key) known(#key, gil.key, !cell.subject);
#define GIL(key, is_known, definition) GILSCOPE_KNOWN_##is_known(key)
    // Untraced, a real program tells nothing of its GIL.
    const bool has_gil = cell.subject && cell.subject->gil && run.traced();
#define GIL_OF_SUBJECT(key, definition) \
  if (has_gil || !cell.subject) known(#key, gil.key, has_gil);
#define GIL_OF_PROCESS(key, definition) \
  if (!cell.subject) known(#key, gil.key, false);
#include "bpf/numbers.def"
    if (!has_gil) return;
    equal("gil.contended + woken_lost + timed_out + undecided + waits_begun_again",
          sum_of(
              {gil.contended, gil.woken_lost, gil.timed_out, gil.undecided, gil.waits_begun_again}),
          "gil.sleeps", gil.sleeps);
    // The self-test. Where it failed the run says so itself.
    if (!gil.waits_begun || !gil.doubt.empty()) return;
    equal("gil.sleeps + unslept", sum_of({gil.sleeps, gil.unslept}),
          "gil.waits_begun + waits_begun_again", sum_of({gil.waits_begun, gil.waits_begun_again}));
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

  void check_disturbances(const Run& run) {
    std::set<std::string> disturbances;
    for (const Disturbance& result : run.disturbances) {
      if (!disturbances.insert(result.kind).second) {
        broken(fmt::format("the disturbance {} a second time", in_quotes(result.kind)));
      }
      if (result.value && !(*result.value > result.limit)) {
        broken(fmt::format("the disturbance {} marks {}, which is not above its limit of {}",
                           in_quotes(result.kind), *result.value, result.limit));
      }
    }
  }

  void check_threads(const Run& run) {
    GilCounts sum = run.gil.undecided  ? GilCounts::of_subject()
                    : run.gil.acquires ? GilCounts()
                                       : unseen();
    for (size_t t = 0; t < run.threads.size(); ++t) {
      const Thread& thread = run.threads[t];
      sum += thread.gil;
      if (thread.trace && thread.trace->gil != thread.gil) {
        broken(fmt::format("threads/{}: gil of its segments differs from its own", t));
      }
    }
    if (report_.lacks("threads")) return;
#define GIL(key, ...) equal("the threads' " #key, sum.key, "gil." #key, run.gil.key);
#define GIL_OF_SUBJECT(key, definition) \
  equal("the threads' " #key, sum.key, "gil." #key, run.gil.key);
#include "bpf/numbers.def"
  }

  void check_cpus(const Run& run) {
    const bool has_cpus = !report_.lacks("cores");
    uint64_t segments = 0, dropped = 0;
    std::set<int> cpus;
    for (const CpuTrace& cpu : run.cpus) {
      if (!cpus.insert(cpu.cpu).second) broken(fmt::format("cpu {} a second time", cpu.cpu));
      segments += cpu.segments;
      dropped += cpu.records_dropped;
    }
    if (has_cpus) check_sums(run);

    uint64_t of_threads = 0;
    for (const Thread& thread : run.threads)
      of_threads += thread.trace ? thread.trace->segments : 0;
    if (has_cpus && !report_.lacks("threads")) {
      equal("the threads' segments", of_threads, "the CPUs' segments", segments);
    }

    if (!run.lost) {
      broken("traced, but \"lost\" is null");
    } else if (run.trace == "full" && has_cpus) {
      equal("the CPUs' records_dropped", dropped, "lost.segments", run.lost->segments);
      equal("segment_records + lost.segments", run.segment_records + run.lost->segments,
            "the CPUs' segments", segments);
    }
  }

  // The slots grew in the segments of all CPUs by what the threads counted.
  void check_sums(const Run& run) {
#define GILSCOPE_SUM_own(path, key)
#define GILSCOPE_SUM_both(path, key)
#define GILSCOPE_SUM_remote(path, key)
#define GILSCOPE_SUM_running(path, key)
#define GILSCOPE_SUM_occupant(path, key)
#define GILSCOPE_SUM_gil(path, key)                                                        \
  if (const auto sum = sum_over(run.cpus, [](const CpuTrace& cpu) { return cpu.path; })) { \
    equal("the CPUs' " #key, *sum, "gil." #key, run.gil.key);                              \
  }
// Older reports do not say how often each CPU's threads asked for the GIL.
#define GILSCOPE_SUM_gil_of_models(path, key) GILSCOPE_SUM_gil(path, key)
#define GILSCOPE_SUM_subject(path, key)                                                        \
  if (run.gil.key || !run.cpus.empty()) {                                                      \
    equal("the CPUs' " #key, sum_over(run.cpus, [](const CpuTrace& cpu) { return cpu.path; }), \
          "gil." #key, run.gil.key);                                                           \
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
