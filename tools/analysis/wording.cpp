#include "tools/analysis/wording.h"

#include <fmt/format.h>

#include <algorithm>

#include "userspace/base/quote.h"

namespace gilscope {
namespace {

void add(std::vector<std::string>& to, const std::string& text) {
  const std::string shown = printable(text);
  if (std::find(to.begin(), to.end(), shown) == to.end()) to.push_back(shown);
}

bool is_recorded(const Cell& cell) {
  return cell.pid() != 0;
}

// Empty: no run has told yet which interpreter it is.
std::string name_of_program(const Cell& cell) {
  if (!cell.subject || is_recorded(cell) || cell.subject->interpreter.empty()) return "";
  const size_t comma = cell.policy.find(',');
  const std::string name = Wording::interpreter(*cell.subject);
  if (cell.subject->kind == "program" || comma == cell.policy.npos) return name;
  return name + ", " + printable(cell.policy.substr(comma + 1));
}

}  // namespace

Wording::Wording(const Report& report) {
  std::map<std::string, std::string> policy_of_name;
  for (const Cell& cell : report.cells) {
    const std::string name = name_of_program(cell);
    if (name.empty()) continue;
    const auto [other, added] = policy_of_name.emplace(name, cell.policy);
    if (!added && other->second != cell.policy) {
      names_[cell.policy] = printable(cell.policy);
      names_[other->second] = printable(other->second);
    } else {
      names_.emplace(cell.policy, name);
    }
  }
  for (const Cell& cell : report.cells) {
    add(policies_, policy(cell));
    add(workloads_, cell.workload);
    add(arrangements_, cell.arrangement);
    add(threads_, number_of(size_t(cell.threads), "thread"));
    add(cpus_, cpus(cell));
    add(cpus_by_, cell.cpus_by);
    add(main_exits_, cell.main_exit);
  }
}

std::string Wording::number_of(size_t n, const std::string& what) {
  const char* plural = what.ends_with("ch") ? "es" : "s";
  return fmt::format("{} {}{}", n, what, n == 1 ? "" : plural);
}

std::string Wording::cpus(const Cell& cell) {
  if (cell.cpus.starts_with("cpu:")) {
    return fmt::format("CPU{} {}", cell.cpu_list.size() == 1 ? "" : "s",
                       printable(cell.cpus.substr(4)));
  }
  const bool all = cell.cpus == "all" && cell.cpu_list.size() > 1;
  return (all ? "all " : "") + number_of(cell.cpu_list.size(), "CPU");
}

std::string Wording::list(const std::vector<std::string>& items) {
  std::string text;
  for (size_t i = 0; i < items.size(); ++i) {
    text += (i == 0 ? "" : i + 1 == items.size() ? " and " : ", ") + items[i];
  }
  return text;
}

WorkloadDescriptor::Operation Wording::operation(const Cell& cell) {
  const WorkloadDescriptor* workload = is_recorded(cell) ? nullptr : find_workload(cell.workload);
  return workload ? workload->operation
                  : WorkloadDescriptor::Operation{.done = "did", .noun = "operations", .one = ""};
}

std::string Wording::interpreter(const CellSubject& subject) {
  std::string name = printable(subject.interpreter);
  if (!subject.version.empty()) name += " " + printable(subject.version);
  return name;
}

std::string Wording::policy(const Cell& cell) const {
  const auto name = names_.find(cell.policy);
  return name == names_.end() ? printable(cell.policy) : name->second;
}

std::string Wording::subject(const Cell& cell) const {
  if (is_recorded(cell)) {
    return fmt::format("{}, PID {}", interpreter(*cell.subject), cell.pid());
  }
  std::string text = policy(cell);
  if (workloads_.size() > 1) text += " with " + printable(cell.workload);
  if (threads_.size() > 1) text += " on " + number_of(size_t(cell.threads), "thread");
  if (cpus_by_.size() > 1) text += " by " + printable(cell.cpus_by);
  if (main_exits_.size() > 1) text += " and main_exit " + printable(cell.main_exit);
  return text;
}

std::string Wording::cell(const Cell& cell) const {
  if (is_recorded(cell)) return subject(cell);
  return fmt::format("{}, {} on {}", subject(cell), printable(cell.arrangement), cpus(cell));
}

std::string Wording::matrix() const {
  return fmt::format("{}; {}; {}, {}; {} by {}", list(policies_), list(workloads_), list(threads_),
                     list(arrangements_), list(cpus_), list(cpus_by_));
}

}  // namespace gilscope
