#include "userspace/workload/workload.h"

#include "userspace/util/quote.h"
#include "userspace/util/term.h"
#include "userspace/workload/count.h"

namespace gilscope {
namespace {

Result<CountOptions> read_workload(std::string_view text) {
  auto term = parse_term(text);
  if (!term) return fail(fmt::format("workload {}: {}", in_quotes(text), term.error().message));
  if (term->name == "count") return read_count(*term);
  std::string near = nearest(term->name, {"count"});
  return fail(fmt::format("unknown workload {}{}; `gilscope list` names them",
                          in_quotes(term->name),
                          near.empty() ? "" : fmt::format(": did you mean {}?", in_quotes(near))));
}

}  // namespace

const std::vector<WorkloadInfo>& workload_list() {
  static const std::vector<WorkloadInfo> list = {
      {"count:n=20M", "each thread counts n down to 0 in bytecode, the seed's own loop",
       "n (iterations), seconds (with main_exit = \"kill\": how long main lives)"},
  };
  return list;
}

Result<std::string> canonical_workload(std::string_view text) {
  auto options = read_workload(text);
  if (!options) return fail(options.error());
  return canonical_count(*options);
}

Result<std::unique_ptr<Workload>> make_workload(std::string_view text) {
  auto options = read_workload(text);
  if (!options) return fail(options.error());
  return make_count(*options);
}

}  // namespace gilscope
