// `gilscope list`: policies, workloads and built-in experiments, and how fast this machine
// interprets.
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "userspace/base/command.h"
#include "userspace/base/output.h"
#include "userspace/cli/cli.h"
#include "userspace/descriptor/policy.h"
#include "userspace/descriptor/workload.h"
#include "userspace/eval/speed.h"
#include "userspace/experiment/plan/builtin.h"
#include "userspace/experiment/plan/found.h"

namespace gilscope {
namespace {

struct Row {
  std::string name, summary, parameters;
};

std::string table(const char* title, const std::vector<Row>& rows) {
  size_t width = 0;
  for (const Row& row : rows) width = std::max(width, row.name.size());
  std::string out = fmt::format("{}\n", title);
  for (const Row& row : rows) {
    out += fmt::format("  {:{}}  {}\n", row.name, width, row.summary);
    if (!row.parameters.empty()) out += fmt::format("  {:{}}  {}\n", "", width, row.parameters);
  }
  return out + '\n';
}

std::string tables() {
  std::vector<Row> policy_rows, workload_rows, experiment_rows;
  for (const PolicyDescriptor& policy : policies()) {
    policy_rows.push_back({policy.example(), policy.summary, policy.parameters()});
  }
  for (const WorkloadDescriptor& workload : workloads()) {
    workload_rows.push_back(
        {workload.example(), workload.summary, parameters_text(workload.all_parameters())});
  }
  std::vector<Row> interpreter_rows;
  for (const FoundInterpreter& one : found_interpreters()) {
    interpreter_rows.push_back(
        {one.policy(), one.kind + (one.version.empty() ? "" : " " + one.version), ""});
  }
  for (const Builtin& builtin : builtin_specs()) {
    experiment_rows.push_back({builtin.name, builtin.summary, ""});
  }
  return table("Policies (--policy)", policy_rows) +
         (interpreter_rows.empty() ? "" : table("Interpreters here (--policy)", interpreter_rows)) +
         table("Workloads (--workload)", workload_rows) +
         table("Built-in experiments (gilscope run NAME)", experiment_rows);
}

std::string speed() {
  const LoopSpeed speed = measure_loop();
  return fmt::format(
      "The eval loop here\n"
      "  {:8.2f} ns per opcode\n"
      "  {:8.2f} ns per iteration of count\n"
      "  {:8.0f} ns between the checks of check-interval:100\n",
      speed.ns_per_opcode, speed.ns_per_iteration, speed.check_every_ns);
}

}  // namespace

void add_list(CLI::App& app, Exit& exit) {
  Command command(app, "list", "policies, workloads, built-in experiments; ns per opcode here");
  auto measure = std::make_shared<bool>(false);
  command.flag("--measure", *measure, "only the speed of the eval loop on this machine");
  command.on_run([measure, &exit] {
    exit = exit_of(write_output((*measure ? std::string() : tables()) + speed()));
  });
}

}  // namespace gilscope
