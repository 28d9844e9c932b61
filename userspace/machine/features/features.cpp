#include "userspace/machine/features/features.h"

#include <fcntl.h>
#include <fmt/ranges.h>
#include <linux/capability.h>
#include <linux/perf_event.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>

#include "userspace/base/fd.h"
#include "userspace/base/kernel_time.h"
#include "userspace/base/refusal.h"
#include "userspace/machine/cpus.h"
#include "userspace/machine/facts/environment.h"
#include "userspace/machine/facts/parts.h"
#include "userspace/machine/features/bpf_probes.h"
#include "userspace/machine/features/shared_libraries.h"
#include "userspace/machine/limit/cpu_limiter.h"
#include "userspace/machine/limit/cpusets.h"
#include "userspace/machine/limit/journal.h"
#include "userspace/machine/limit/state_directory.h"
#include "userspace/machine/machine.h"

namespace gilscope {
namespace {

// Older systems' kernel headers lack these two.
constexpr int kCapPerfmon = 38;
constexpr int kCapBpf = 39;

// Checks capabilities, not the user id: root in a container may lack them, and other users may have
// them.
Feature probe_privilege(const Machine& machine) {
  Feature feature{"privilege", false, true, "", "run gilscope as root (sudo gilscope ...)"};
  const auto status = machine.text("/proc/self/status");
  const std::string digits = value_of(status.value_or(""), "CapEff").value_or("");
  uint64_t effective = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), effective, 16);
  const auto has = [&](int capability) { return (effective >> capability & 1) != 0; };
  if (has(CAP_SYS_ADMIN)) {
    feature.ok = true;
    feature.detail = "CAP_SYS_ADMIN";
  } else if (has(kCapBpf) && has(kCapPerfmon)) {
    feature.ok = true;
    feature.detail = "CAP_BPF and CAP_PERFMON";
  } else {
    feature.detail =
        fmt::format("user {} has neither CAP_SYS_ADMIN nor CAP_BPF and CAP_PERFMON", ::geteuid());
  }
  return feature;
}

// `status` has an error of the form "what is missing: what to do".
Feature probe_requirement(const char* name, const Status& status, const char* good) {
  Feature feature{name, status.has_value(), true, good, ""};
  if (status) return feature;
  const std::string& why = status.error().message;
  const size_t colon = std::min(why.rfind(": "), why.size());
  feature.detail = why.substr(0, colon);
  feature.fix = colon < why.size() ? why.substr(colon + 2) : "";
  return feature;
}

Feature probe_clock() {
  const auto offset = time_namespace_offset_ns();
  if (!offset) return probe_requirement("clock", fail(offset.error()), "");
  return {"clock", true, true,
          *offset == 0 ? "the kernel's own"
                       : fmt::format("a time namespace's, {:+.3f} s from the kernel's; reports "
                                     "correct for that",
                                     static_cast<double>(*offset) / 1e9),
          ""};
}

Feature probe_state_directory() {
  Feature feature{"place for the journal", true, false, kStateDirectory,
                  "mount a writable /run; --cpus-by affinity needs none"};
  if (::geteuid() != 0) {
    feature.detail = "none needed: only root can change the machine";
    return feature;
  }
  const auto directory = open_state_directory();
  if (!directory) {
    feature.ok = false;
    feature.detail =
        directory.error().message.substr(0, directory.error().message.find(": changes"));
  } else if (::faccessat(directory->get(), ".", W_OK, AT_EACCESS) != 0) {
    feature.ok = false;
    feature.detail = fmt::format("{}: {}", kStateDirectory, std::strerror(errno));
  }
  return feature;
}

Feature probe_tracefs(const Machine& machine) {
  const bool mounted = machine.exists("/sys/kernel/tracing/events") ||
                       machine.exists("/sys/kernel/debug/tracing/events");
  return {"tracefs", mounted, false,
          mounted ? "mounted" : "not mounted; only other tools (perf, bpftrace) need it",
          "mount -t tracefs tracefs /sys/kernel/tracing"};
}

Feature probe_perf_events() {
  perf_event_attr attributes{};
  attributes.type = PERF_TYPE_SOFTWARE;
  attributes.size = sizeof(attributes);
  attributes.config = PERF_COUNT_SW_CONTEXT_SWITCHES;
  attributes.disabled = 1;
  const long result = ::syscall(SYS_perf_event_open, &attributes, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
  const int error = errno;
  const Fd event(static_cast<int>(result));
  return {"perf software events", result >= 0, false,
          result >= 0 ? "context-switches can be counted" : std::strerror(error),
          "run gilscope as root, or lower /proc/sys/kernel/perf_event_paranoid; only perf and run "
          "--perf need it"};
}

Feature probe_steal() {
  Feature feature{"steal time", false, false, "not in /proc/stat",
                  "none: the hypervisor's share of a virtual machine's wall times stays unknown"};
  const auto cpus = allowed_cpus();
  const auto ns = cpus ? read_steal_ns(*cpus) : std::nullopt;
  if (!ns) return feature;
  feature.ok = true;
  feature.detail = fmt::format("{:.2f} s since boot", static_cast<double>(*ns) / 1e9);
  return feature;
}

Feature probe_thread_sched(const Machine& machine) {
  const bool there = machine.exists("/proc/thread-self/sched");
  return {"per-thread sched file", there, false,
          there ? "/proc/thread-self/sched" : "no /proc/thread-self/sched",
          "boot a kernel with CONFIG_SCHED_DEBUG=y; only a cross-check of migrations needs it"};
}

// Tries the set that demands most of hotplug: the CPUs that cannot go offline, or else the first.
Feature probe_hotplug(const Machine& machine) {
  Feature feature{"CPUs by hotplug", false, false, "",
                  "--cpus-by cpuset and affinity need no hotplug"};
  const auto online = online_cpus(machine);
  if (!online) {
    feature.detail = online.error().message;
    return feature;
  }
  CpuSet staying;
  for (const int cpu : *online) {
    if (!machine.exists(fmt::format("/sys/devices/system/cpu/cpu{}/online", cpu))) {
      staying.push_back(cpu);
    }
  }
  const size_t going = online->size() - staying.size();
  if (staying.empty()) staying = {online->front()};
  const Status able = make_limiter("hotplug", machine)->check({staying});
  feature.ok = able && going > 0;
  feature.detail = !able       ? able.error().message
                   : going > 0 ? fmt::format("{} of {} CPUs can go offline", going, online->size())
                               : "no CPU can go offline";
  return feature;
}

Feature probe_cpuset(const Machine& machine) {
  const auto limiter = make_limiter("cpuset", machine);
  const Status able = limiter->check({});
  const auto hierarchy = find_cpusets(machine);
  return {"CPUs by cpuset", bool(able), false,
          able && hierarchy ? fmt::format("{}: {}", hierarchy->mount, limiter->how())
                            : able.error().message,
          "--cpus-by affinity needs no cgroup"};
}

Feature probe_leftovers() {
  const Status clean = refuse_leftovers();
  return {"machine unchanged", bool(clean), false,
          clean ? "no interrupted run left a change" : clean.error().message,
          "run gilscope restore as root"};
}

Feature probe_disk() {
  constexpr uint64_t kWanted = uint64_t{1} << 30;
  Feature feature{"disk space here", false, false, "",
                  "choose a larger file system with --out, or --trace counters"};
  struct statvfs status {};
  if (::statvfs(".", &status) != 0) {
    feature.detail = std::strerror(errno);
    return feature;
  }
  const uint64_t free_bytes = uint64_t{status.f_bavail} * status.f_frsize;
  feature.ok = free_bytes >= kWanted;
  feature.detail = fmt::format("{:.1f} GiB free; a long experiment traced in full may write 1 GiB",
                               static_cast<double>(free_bytes) / (1 << 30));
  return feature;
}

// A dynamic program runs here, but may not run on a machine or guest that it is copied to.
Feature probe_static_program() {
  const auto libraries = shared_libraries();
  return {"static program", libraries.empty(), false,
          libraries.empty() ? "runs wherever it is copied"
                            : fmt::format("needs {}", fmt::join(libraries, ", ")),
          "none needed on this machine; to copy gilscope elsewhere, copy these libraries too, or "
          "build it with STATIC=yes"};
}

}  // namespace

std::vector<Feature> probe_features() {
  const Machine machine;
  std::vector<Feature> features = {probe_requirement("/proc", require_proc(), "mounted"),
                                   probe_requirement("/sys", require_sys(), "mounted"),
                                   probe_clock(), probe_privilege(machine)};
  const auto bpf = probe_bpf();
  features.insert(features.end(), bpf.begin(), bpf.end());
  for (Feature& feature : std::vector<Feature>{
           probe_perf_events(), probe_steal(), probe_thread_sched(machine), probe_hotplug(machine),
           probe_cpuset(machine), probe_state_directory(), probe_leftovers(),
           probe_tracefs(machine), probe_disk(), probe_static_program()}) {
    features.push_back(std::move(feature));
  }
  return features;
}

Status first_missing(const std::vector<Feature>& features) {
  for (const Feature& feature : features) {
    if (feature.ok || !feature.required) continue;
    return fail(Exit::unable, fmt::format("this machine cannot trace: {}: {}; {}", feature.name,
                                          feature.detail, feature.fix));
  }
  return {};
}

Status require_tracing() {
  return first_missing(probe_features());
}

}  // namespace gilscope
