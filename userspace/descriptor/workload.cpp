#include "userspace/descriptor/workload.h"

#include <algorithm>

#include "userspace/base/quote.h"
#include "userspace/base/term.h"

namespace gilscope {

#define GILSCOPE_WORKLOAD(name) WorkloadDescriptor workload_##name();
#include "userspace/descriptor/workloads.def"
#undef GILSCOPE_WORKLOAD

namespace {

constexpr uint64_t kMaxBackground = 1024;

// Without background threads a task for them would only name a second cell that is the same as the
// one without it.
Status check_task(const WorkloadDescriptor& workload, const Term& term,
                  const Parameters& parameters) {
  if (workload.has_own_task() || parameters.number("background") > 0) return {};
  if (std::ranges::find(term.arguments, "task", &Argument::key) == term.arguments.end()) return {};
  return fail(
      fmt::format("workload {}: task= is what background threads compute, and there are none: "
                  "leave it out, or ask for some by background=",
                  term.name));
}

}  // namespace

std::string WorkloadDescriptor::example() const {
  // A name alone is always good.
  return Parameters::read(all_parameters(), Term{name, {}})->canonical();
}

std::vector<Parameter> WorkloadDescriptor::all_parameters() const {
  // `background` stands first, as in "echo:background=1,seconds=2s", and in the canonical text of
  // those that are about it.
  std::vector<Parameter> all = {
      count_parameter("background", background, 0, kMaxBackground, background > 0)};
  all.insert(all.end(), parameters.begin(), parameters.end());
  if (!has_own_task()) all.push_back(word_parameter("task", task_names()));
  return all;
}

bool WorkloadDescriptor::has_own_task() const {
  return std::ranges::find(parameters, "task", &Parameter::key) != parameters.end();
}

const std::vector<WorkloadDescriptor>& workloads() {
  static const std::vector<WorkloadDescriptor> list = {
#define GILSCOPE_WORKLOAD(name) workload_##name(),
#include "userspace/descriptor/workloads.def"
#undef GILSCOPE_WORKLOAD
  };
  return list;
}

const WorkloadDescriptor* find_workload(std::string_view text) {
  const auto& all = workloads();
  const auto found =
      std::ranges::find(all, text.substr(0, text.find(':')), &WorkloadDescriptor::name);
  return found == all.end() ? nullptr : &*found;
}

const std::vector<std::string>& task_names() {
  static const std::vector<std::string> names = {"count", "pidigits", "regex", "compress"};
  return names;
}

Parameter seconds_parameter(uint64_t fallback_ns) {
  constexpr uint64_t kMillisecond = 1'000'000, kDay = 86'400'000'000'000;
  return duration_parameter("seconds", fallback_ns, kMillisecond, kDay, true);
}

bool WorkloadText::bounded_by_time() const {
  using Ends = WorkloadDescriptor::Ends;
  return workload->ends == Ends::by_time ||
         (workload->ends == Ends::by_time_if_given && parameters.optional_number("seconds"));
}

Result<WorkloadText> read_workload(std::string_view text) {
  const auto term = parse_term(text);
  if (!term) return fail(fmt::format("workload {}: {}", in_quotes(text), term.error().message));
  const WorkloadDescriptor* workload = find_workload(term->name);
  if (workload == nullptr) {
    std::vector<std::string> names;
    for (const WorkloadDescriptor& one : workloads()) names.push_back(one.name);
    const std::string near = nearest(term->name, names);
    return fail(
        fmt::format("unknown workload {}{}; `gilscope list` names them", in_quotes(term->name),
                    near.empty() ? "" : fmt::format(": did you mean {}?", in_quotes(near))));
  }
  auto parameters = Parameters::read(workload->all_parameters(), *term);
  if (!parameters) return fail(parameters.error());
  if (Status used = check_task(*workload, *term, *parameters); !used) return fail(used.error());
  return WorkloadText{workload, std::move(*parameters)};
}

Result<std::string> canonical_workload(std::string_view text) {
  const auto read = read_workload(text);
  if (!read) return fail(read.error());
  return read->parameters.canonical();
}

bool lasts_a_set_time(std::string_view text) {
  const auto read = read_workload(text);
  return read && read->bounded_by_time();
}

}  // namespace gilscope
