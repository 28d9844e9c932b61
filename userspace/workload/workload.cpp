#include "userspace/workload/workload.h"

namespace gilscope {

// Each is defined beside its program, in NAME.cpp.
#define GILSCOPE_WORKLOAD(name) std::unique_ptr<Workload> make_##name(const Parameters& parameters);
#include "userspace/descriptor/workloads.def"
#undef GILSCOPE_WORKLOAD

namespace {

using Make = std::unique_ptr<Workload> (*)(const Parameters& parameters);

// In the order of workloads(), which is made from the same list.
constexpr Make kMakes[] = {
#define GILSCOPE_WORKLOAD(name) make_##name,
#include "userspace/descriptor/workloads.def"
#undef GILSCOPE_WORKLOAD
};

}  // namespace

Workload::Workload(const Parameters& parameters)
    : background_{parameters.number("background"), parameters.word("task")} {}

Result<std::unique_ptr<Workload>> make_workload(std::string_view text) {
  const auto read = read_workload(text);
  if (!read) return fail(read.error());
  return kMakes[read->workload - workloads().data()](read->parameters);
}

}  // namespace gilscope
