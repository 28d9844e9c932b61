// One change to the machine, as the journal records it: the thing changed, the value found and the
// value set. `restore` obeys the journal as root, so a line names only things of these kinds, never
// a path.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "userspace/base/result.h"

namespace gilscope {

struct Change {
  enum class Kind {
    online,       // a CPU's `online` file; the subject is its number, the values are 0 or 1
    cpuset_cpus,  // cpuset.cpus of a cgroup v1 cpuset, which the kernel cuts when a CPU goes; the
                  // subject is the cgroup below the hierarchy's root
    cpuset_made,  // gilscope's own cgroup; the subject is its hierarchy, v1 or v2
    controller,   // cpuset in cgroup.subtree_control of the root of cgroup v2
    mask,         // the affinity of a task, which the kernel drops when its CPUs go; the subject is
                  // TASK:START, where the start distinguishes later tasks of the same number
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

// The task of a mask_change.
struct TaskId {
  pid_t task = 0;
  uint64_t started = 0;  // field 22 of /proc/PID/stat
};
TaskId task_of(const Change& change);

// A line of the journal, without the newline.
std::string to_line(const Change& change);

// The change in words: "/sys/devices/system/cpu/cpu1/online was 1".
std::string change_description(const Change& change);

// Refuses every line that to_line() would not have written.
Result<Change> parse_change(std::string_view line);

}  // namespace gilscope
