#include "userspace/experiment/plan.h"

#include <algorithm>
#include <random>
#include <set>
#include <utility>

#include "userspace/experiment/cpus.h"
#include "userspace/util/quote.h"

namespace gilscope {
namespace {

struct CpuChoice {
  std::string request;
  std::vector<int> cpus;
};

// Two requests that come to the same CPUs here ("1" and "all" on a box with one CPU) are one: the
// first. Measured twice under two names they would look like two results.
Result<std::vector<CpuChoice>> choose_cpus(const Spec& spec) {
  const auto topology = read_topology();
  if (!topology) return fail(topology.error());
  const auto allowed = allowed_cpus();
  if (!allowed) return fail(allowed.error());

  std::vector<CpuChoice> choices;
  for (const std::string& request : spec.cpus) {
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

std::vector<Cell> make_cells(const Spec& spec, const std::vector<CpuChoice>& choices) {
  std::vector<Cell> cells;
  for (const std::string& policy : spec.policies) {
    for (const std::string& workload : spec.workloads) {
      for (const int threads : spec.threads) {
        for (const CpuChoice& choice : choices) {
          for (const std::string& arrangement : spec.arrangements) {
            Cell cell;
            cell.policy = policy;
            cell.workload = workload;
            cell.arrangement = arrangement;
            cell.threads = threads;
            cell.cpus = choice.request;
            cell.cpu_list = choice.cpus;
            cell.cpus_by = spec.cpus_by;
            cell.cpu_order = spec.cpu_order;
            cell.main_exit = spec.main_exit;
            cells.push_back(std::move(cell));
          }
        }
      }
    }
  }
  return cells;
}

// Uniform below `bound`, by refusing the draws that would favour the small numbers. The standard
// library's distributions and std::shuffle differ from library to library; the engine does not.
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
  // An engine for each block, so that a resumed experiment needs no earlier block to know this one.
  const uint64_t block_seed = seed ^ (static_cast<uint64_t>(index) * 0x9e3779b97f4a7c15);
  std::mt19937_64 engine(block_seed);
  shuffle(block.runs, engine);
  return block;
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
  plan.cells = make_cells(spec, *choices);
  for (int index = 0; index < spec.warmup + spec.blocks; ++index) {
    plan.blocks.push_back(make_block(spec, plan.cells.size(), seed, index));
  }
  return plan;
}

}  // namespace gilscope
