// One change to the box, as the journal has it: what, the value found and the value set. Whoever
// obeys a journal does so as root, so a line names things of these kinds and never a path.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "userspace/util/result.h"

namespace gilscope {

struct Change {
  enum class Kind {
    online,       // a CPU's `online` file: subject its number, found and set 0 or 1
    cpuset_cpus,  // cpuset.cpus of a cgroup v1 cpuset, which the kernel cuts when a CPU goes:
                  // subject the cgroup below the hierarchy's root
    cpuset_made,  // gilscope's own cgroup: subject v1 or v2, the hierarchy
    controller,   // cpuset in cgroup.subtree_control of the root of cgroup v2
    mask,         // the affinity of a task, which the kernel drops when its CPUs go: subject
                  // TASK:START, the start telling a later task of the same number apart
  };
  Kind kind = Kind::online;
  std::string subject, found, set;  // "-": none

  bool operator==(const Change&) const = default;
};

// The name of gilscope's own cgroup, at the root of its hierarchy.
inline constexpr const char* kOwnCgroup = "gilscope";

Change online_change(int cpu, bool found, bool set);
Change cpuset_cpus_change(const std::string& cgroup, const std::vector<int>& found,
                          const std::vector<int>& left);
Change cpuset_made_change(bool v2);
Change controller_change();
Change mask_change(pid_t task, uint64_t started, const std::vector<int>& cpus);

// What a mask_change is about.
struct TaskId {
  pid_t task = 0;
  uint64_t started = 0;  // field 22 of /proc/PID/stat
};
TaskId task_of(const Change& change);

// One line of the journal, without its end.
std::string to_line(const Change& change);

// The same for people: "/sys/devices/system/cpu/cpu1/online was 1".
std::string in_words(const Change& change);

// Refuses every word that to_line() would not have written.
Result<Change> parse_change(std::string_view line);

}  // namespace gilscope
