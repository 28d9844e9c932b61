// count:n=20M[,seconds=S]: each thread counts n down to 0 in bytecode, the seed's own loop. One
// operation is one iteration. With main_exit = "kill", `seconds` is how long main lives.
#pragma once

#include <memory>

#include "userspace/util/term.h"
#include "userspace/workload/workload.h"

namespace gilscope {

struct CountOptions {
  uint64_t n = 20'000'000;
  std::optional<uint64_t> main_sleep_ns;
};

Result<CountOptions> read_count(const Term& term);
std::string canonical_count(const CountOptions& options);
std::unique_ptr<Workload> make_count(const CountOptions& options);

}  // namespace gilscope
