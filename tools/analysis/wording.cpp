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

}  // namespace

Wording::Wording(const Report& report) {
  for (const Cell& cell : report.cells) {
    add(policies_, cell.policy);
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
  const WorkloadDescriptor* workload = find_workload(cell.workload);
  return workload ? workload->operation
                  : WorkloadDescriptor::Operation{.done = "did", .noun = "operations", .one = ""};
}

std::string Wording::subject(const Cell& cell) const {
  std::string text = printable(cell.policy);
  if (workloads_.size() > 1) text += " with " + printable(cell.workload);
  if (threads_.size() > 1) text += " on " + number_of(size_t(cell.threads), "thread");
  if (cpus_by_.size() > 1) text += " by " + printable(cell.cpus_by);
  if (main_exits_.size() > 1) text += " and main_exit " + printable(cell.main_exit);
  return text;
}

std::string Wording::cell(const Cell& cell) const {
  return fmt::format("{}, {} on {}", subject(cell), printable(cell.arrangement), cpus(cell));
}

std::string Wording::matrix() const {
  return fmt::format("{}; {}; {}, {}; {} by {}", list(policies_), list(workloads_), list(threads_),
                     list(arrangements_), list(cpus_), list(cpus_by_));
}

}  // namespace gilscope
