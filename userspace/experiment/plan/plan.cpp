#include "userspace/experiment/plan/plan.h"

#include <algorithm>
#include <random>
#include <set>
#include <utility>

#include "userspace/base/quote.h"
#include "userspace/descriptor/policy.h"
#include "userspace/descriptor/program.h"
#include "userspace/descriptor/workload.h"
#include "userspace/experiment/plan/found.h"
#include "userspace/machine/cpu_list.h"
#include "userspace/machine/cpus.h"
#include "userspace/workload/tasks.h"
#include "userspace/workload/workload.h"

namespace gilscope {
namespace {

struct CpuChoice {
  std::string request;
  std::vector<int> cpus;
};

// Keeps the first of two requests for the same CPUs ("1" and "all" on a machine with one CPU).
// Measured twice under two names they would look like two results.
Result<std::vector<CpuChoice>> choose_cpus(const Spec& spec) {
  const auto topology = read_topology();
  if (!topology) return fail(topology.error());
  const auto allowed = allowed_cpus();
  if (!allowed) return fail(allowed.error());

  std::vector<CpuChoice> choices;
  for (const std::string& request : expand_cpus(spec.cpus, *topology, *allowed)) {
    auto cpus = resolve_cpus(request, *topology, *allowed, spec.cpu_order);
    if (!cpus) {
      return fail(cpus.error().code,
                  fmt::format("cpus {}: {}", in_quotes(request), cpus.error().message));
    }
    const bool known = std::any_of(choices.begin(), choices.end(),
                                   [&](const CpuChoice& other) { return other.cpus == *cpus; });
    if (!known) choices.push_back({request, std::move(*cpus)});
  }
  return choices;
}

// The distinct pairs of threads and CPUs: "2" and "1x" on two CPUs are one.
std::vector<std::pair<int, CpuChoice>> thread_counts(const Spec& spec,
                                                     const std::vector<CpuChoice>& choices) {
  std::vector<std::pair<int, CpuChoice>> counts;
  for (const ThreadCount& threads : spec.threads) {
    for (const CpuChoice& choice : choices) {
      const int count = threads.on(choice.cpus.size());
      const bool known = std::ranges::any_of(counts, [&](const auto& other) {
        return other.first == count && other.second.cpus == choice.cpus;
      });
      if (!known) counts.emplace_back(count, choice);
    }
  }
  return counts;
}

std::vector<Cell> make_cells(const Spec& spec, const std::vector<std::string>& policies,
                             const std::vector<CpuChoice>& choices) {
  const auto counts = thread_counts(spec, choices);
  std::vector<Cell> cells;
  for (const std::string& policy : policies) {
    const bool own = is_command(policy);
    const std::vector<std::string> one = {std::string(kOwnWorkload)};
    for (const std::string& workload : own ? one : spec.workloads) {
      const bool timed = lasts_a_set_time(workload);
      for (const auto& [threads, choice] : counts) {
        for (const std::string& arrangement : spec.arrangements) {
          // A sequential run would only take the set time once for each thread.
          if (timed && arrangement == "sequential") continue;
          // A program arranges its threads itself.
          if (own && &arrangement != spec.arrangements.data()) continue;
          Cell cell;
          cell.policy = policy;
          cell.workload = workload;
          cell.arrangement = own ? "threaded" : arrangement;
          cell.threads = threads;
          cell.cpus = choice.request;
          cell.cpu_list = choice.cpus;
          cell.cpus_by = spec.cpus_by;
          cell.cpu_order = spec.cpu_order;
          cell.main_exit = spec.main_exit;
          cell.bounded_by = timed ? "time" : "work";
          cells.push_back(std::move(cell));
        }
      }
    }
  }
  return cells;
}

// Uniform below `bound`: draws that would favour small numbers are refused. The standard library's
// distributions and std::shuffle differ from library to library; the engine does not.
uint64_t draw_below(uint64_t bound, std::mt19937_64& engine) {
  const uint64_t unfair = (0 - bound) % bound;  // 2^64 modulo bound
  uint64_t draw = engine();
  while (draw < unfair) draw = engine();
  return draw % bound;
}

void shuffle(std::vector<PlannedRun>& runs, std::mt19937_64& engine) {
  for (size_t i = runs.size(); i > 1; --i) {
    std::swap(runs[i - 1], runs[draw_below(i, engine)]);
  }
}

Block make_block(const Spec& spec, size_t cells, uint64_t seed, int index) {
  Block block;
  block.index = index;
  block.warmup = index < spec.warmup;
  for (size_t cell = 0; cell < cells; ++cell) {
    block.runs.push_back({cell, spec.trace});
    if (spec.untraced && spec.trace != "off") block.runs.push_back({cell, "off"});
  }
  // Each block has an engine of its own, so that a resumed experiment can plan it without the
  // earlier ones.
  const uint64_t block_seed = seed ^ (static_cast<uint64_t>(index) * 0x9e3779b97f4a7c15);
  std::mt19937_64 engine(block_seed);
  shuffle(block.runs, engine);
  return block;
}

double seconds(uint64_t ns) {
  return static_cast<double>(ns) / 1e9;
}

// The expected duration of a run. Threads share the GIL and the CPUs with those in the background.
double expected_seconds(const Work& work, const PolicyPace& pace, const Cell& cell,
                        size_t background) {
  const auto cpus = static_cast<double>(std::max<size_t>(cell.cpu_list.size(), 1));
  const double holders = std::min(cpus, static_cast<double>(pace.holders));
  const bool threaded = cell.arrangement == "threaded";
  const double others = static_cast<double>(background);
  const double at_once = threaded ? cell.threads : 1;
  const double rounds = threaded ? 1 : cell.threads;
  // A thread that wants the GIL back waits for the background threads each time.
  constexpr double kCountedAnIteration = 3;
  const double held =
      seconds(pace.held_ns) +
      seconds_of_counting(static_cast<double>(pace.held_opcodes) / kCountedAnIteration, "none");
  const double waited = others + 1 <= holders ? 0 : work.turns * others * held;
  const double alone = work.computing_s * std::max(1.0, (1 + others) / holders) +
                       work.released_s * std::max(1.0, (1 + others) / cpus) + work.blocked_s +
                       waited;
  // When all of them compute, they wait for the GIL or the CPUs.
  const double together =
      work.computing_s * (at_once + others) / holders + work.released_s * (at_once + others) / cpus;
  return rounds * std::max(alone, together);
}

}  // namespace

std::vector<std::vector<int>> cpu_sets(const std::vector<Cell>& cells) {
  std::set<std::vector<int>> sets;
  for (const Cell& cell : cells) sets.insert(cell.cpu_list);
  return {sets.begin(), sets.end()};
}

Result<Plan> make_plan(const Spec& spec, uint64_t seed) {
  const auto choices = choose_cpus(spec);
  if (!choices) return fail(choices.error());

  Plan plan;
  plan.seed = seed;
  const auto policies = with_found(spec.policies, plan.missing);
  if (policies.empty()) return fail(how_to_get(plan.missing.front()));
  plan.cells = make_cells(spec, policies, *choices);
  for (const Cell& cell : plan.cells) {
    if (cell.threads > kMaxThreads) {
      return fail(fmt::format("threads: {} CPUs come to {} threads, and {} are the limit",
                              cell.cpu_list.size(), cell.threads, kMaxThreads));
    }
  }
  for (int index = 0; index < spec.warmup + spec.blocks; ++index) {
    plan.blocks.push_back(make_block(spec, plan.cells.size(), seed, index));
  }
  return plan;
}

double expected_seconds(const Cell& cell) {
  // Forking, attaching, detaching and writing, as seen on several machines.
  constexpr double kAround = 0.05;
  auto workload = make_workload(cell.workload);
  const auto pace = policy_pace(cell.policy);
  if (!workload || !pace) return kAround;
  if (cell.main_exit == "kill") {
    // Main sleeps for so long and then ends the process, whatever the threads have done.
    return kAround + seconds((*workload)->main_sleep_ns().value_or(0));
  }
  const auto bound_ns = (*workload)->bound_ns();
  // Of a real interpreter nobody knows the speed before it has run.
  const auto work = (*workload)->work(names_program(cell.policy) ? "none" : cell.policy);
  if (!work) return kAround + seconds(bound_ns.value_or(0));
  const double done = expected_seconds(*work, *pace, cell, (*workload)->background().threads);
  return kAround + (bound_ns ? std::min(done, seconds(*bound_ns)) : done);
}

double expected_seconds(const Plan& plan) {
  std::vector<double> of_cell;
  for (const Cell& cell : plan.cells) of_cell.push_back(expected_seconds(cell));
  double sum = 0;
  for (const Block& block : plan.blocks) {
    for (const PlannedRun& run : block.runs) sum += of_cell[run.cell];
  }
  return sum;
}

Status check_size(const Plan& plan, bool confirmed) {
  constexpr size_t kManyCells = 10'000;
  constexpr double kDay = 86'400;
  if (confirmed) return {};
  if (plan.cells.size() > kManyCells) {
    return fail(
        fmt::format("the spec's matrix comes to {} cells, more than {}: split it into "
                    "several, or say --yes",
                    plan.cells.size(), kManyCells));
  }
  if (const double seconds = expected_seconds(plan); seconds > kDay) {
    return fail(
        fmt::format("the experiment is expected to take {:.1f} days: ask for less, or say "
                    "--yes (--dry-run shows the plan)",
                    seconds / kDay));
  }
  return {};
}

Status check_workloads(const Plan& plan) {
  std::set<std::pair<std::string, int>> seen;
  for (const Cell& cell : plan.cells) {
    if (is_command(cell.policy) || !seen.emplace(cell.workload, cell.threads).second) continue;
    auto workload = make_workload(cell.workload);
    if (!workload) return fail(workload.error());
    const Status prepared = (*workload)->prepare(static_cast<size_t>(cell.threads));
    if (!prepared) return fail(prepared.error());
  }
  return {};
}

std::string describe(const Plan& plan) {
  size_t runs = 0, warmup = 0;
  for (const Block& block : plan.blocks) {
    runs += block.runs.size();
    warmup += block.warmup ? 1 : 0;
  }
  std::string out;
  for (const Cell& cell : plan.cells) {
    out += fmt::format("{}  {}  {}, {} thread{} on cpu{} {} by {}, about {:.2g} s a run\n",
                       cell.policy, cell.workload, cell.arrangement, cell.threads,
                       cell.threads == 1 ? "" : "s", cell.cpu_list.size() == 1 ? "" : "s",
                       format_cpu_list(cell.cpu_list), cell.cpus_by, expected_seconds(cell));
  }
  const double minutes = expected_seconds(plan) / 60;
  out += fmt::format(
      "{} cells, {} blocks ({} of them to warm up), {} runs: about {:.{}f} "
      "minutes\n",
      plan.cells.size(), plan.blocks.size(), warmup, runs, minutes, minutes < 10 ? 1 : 0);
  return out;
}

}  // namespace gilscope
