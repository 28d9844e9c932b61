#include "userspace/experiment/tracers.h"

#include <algorithm>

#include "userspace/descriptor/program.h"
#include "userspace/experiment/run/client.h"
#include "userspace/machine/facts/parts.h"

namespace gilscope {
namespace {

// The largest number of threads in a model's cell, including main and background threads; 0: there
// is no such cell.
uint32_t most_threads(const std::vector<Cell>& cells) {
  size_t most = 0;
  for (const Cell& cell : cells) {
    if (is_program(cell)) continue;
    auto workload = make_workload(cell.workload);
    const size_t background = workload ? (*workload)->background().threads : 0;
    most = std::max(most, 1 + static_cast<size_t>(cell.threads) + background);
  }
  return static_cast<uint32_t>(most);
}

}  // namespace

bool is_program(const Cell& cell) {
  return names_program(cell.policy);
}

Result<Tracers> Tracers::load(const Spec& spec, const std::vector<Cell>& cells) {
  Tracers tracers;
  if (spec.trace == "off") return tracers;
  const bool records = spec.trace == "full";
  if (const uint32_t most = most_threads(cells)) {
    Tracer::Options options;
    options.max_threads = most;
    options.records = records;
    if (on_emulated_cpus()) options.lead = kEmulatedLead;
    auto loaded = Tracer::load(options);
    if (!loaded) return fail(loaded.error());
    tracers.of_models = std::move(*loaded);
  }
  if (std::ranges::any_of(cells, is_program)) {
    auto loaded = ProgramTracer::load(records);
    if (!loaded) return fail(loaded.error());
    tracers.of_programs = std::move(*loaded);
  }
  return tracers;
}

Facts Tracers::capabilities() const {
  if (of_models) return of_models->capabilities();
  return of_programs ? of_programs->capabilities() : Facts();
}

}  // namespace gilscope
