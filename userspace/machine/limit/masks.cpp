#include "userspace/machine/limit/masks.h"

#include <sched.h>

#include <algorithm>
#include <memory>

#include "userspace/machine/cpu_list.h"

namespace gilscope {
namespace {

constexpr int64_t kKernelThread = 0x00200000;  // PF_KTHREAD of the kernel's include/linux/sched.h

}  // namespace

std::optional<TaskMask> read_mask(const Machine& machine, pid_t task) {
  const std::string directory = fmt::format("/proc/{}", task);
  const auto status = machine.text(directory + "/status");
  const auto stat = machine.text(directory + "/stat");
  if (!status || !stat) return {};
  const auto cpus = parse_cpu_list(value_of(*status, "Cpus_allowed_list").value_or(""));
  // Starts after the name, which may contain anything; the next field is the third.
  const auto fields = words(std::string_view(*stat).substr(stat->rfind(')') + 1));
  if (!cpus || cpus->empty() || fields.size() < 20) return {};
  const auto flags = to_number(fields[9 - 3]);
  const auto started = to_number(fields[22 - 3]);
  if (!flags || !started) return {};
  return TaskMask{task, static_cast<uint64_t>(*started), (*flags & kKernelThread) != 0, *cpus};
}

std::vector<TaskMask> restricted_masks(const Machine& machine, const std::vector<int>& online,
                                       const std::vector<int>& at_stake) {
  const auto among = [](const std::vector<int>& cpus) {
    return [&cpus](int cpu) { return std::binary_search(cpus.begin(), cpus.end(), cpu); };
  };
  std::vector<TaskMask> masks;
  const auto processes = machine.names("/proc");
  for (const std::string& process : processes.value_or(std::vector<std::string>())) {
    if (!to_number(process)) continue;
    const auto tasks = machine.names("/proc/" + process + "/task");
    for (const std::string& name : tasks.value_or(std::vector<std::string>())) {
      auto mask = read_mask(machine, static_cast<pid_t>(to_number(name).value_or(0)));
      if (!mask || mask->of_kernel) continue;
      if (std::all_of(online.begin(), online.end(), among(mask->cpus))) continue;
      if (std::none_of(at_stake.begin(), at_stake.end(), among(mask->cpus))) continue;
      masks.push_back(std::move(*mask));
    }
  }
  return masks;
}

Status set_mask(pid_t task, const std::vector<int>& cpus) {
  const int highest = cpus.empty() ? 0 : *std::max_element(cpus.begin(), cpus.end());
  const size_t bytes = CPU_ALLOC_SIZE(highest + 1);
  const std::unique_ptr<cpu_set_t, void (*)(cpu_set_t*)> set(CPU_ALLOC(highest + 1),
                                                             [](cpu_set_t* s) { CPU_FREE(s); });
  CPU_ZERO_S(bytes, set.get());
  for (const int cpu : cpus) CPU_SET_S(cpu, bytes, set.get());
  if (::sched_setaffinity(task, bytes, set.get()) == 0) return {};
  return fail_errno(fmt::format("sched_setaffinity to CPUs {}", format_cpu_list(cpus)));
}

}  // namespace gilscope
