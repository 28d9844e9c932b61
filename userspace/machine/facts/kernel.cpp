// The kernel: its build, configuration and boot options.
#include <algorithm>
#include <cstring>

#include "userspace/base/digest.h"
#include "userspace/machine/facts/parts.h"

namespace gilscope {
namespace {

// Options that decide how the scheduler places and preempts tasks, how time is measured, and what
// tracing costs. The last two make a guest move tasks off CPUs that its host steals.
constexpr const char* kOptions[] = {
    "PREEMPT_NONE",
    "PREEMPT_VOLUNTARY",
    "PREEMPT",
    "PREEMPT_LAZY",
    "PREEMPT_RT",
    "PREEMPT_DYNAMIC",
    "SCHED_CLASS_EXT",
    "SCHED_SMT",
    "SCHED_MC",
    "SCHED_CLUSTER",
    "SCHED_CORE",
    "SCHED_AUTOGROUP",
    "FAIR_GROUP_SCHED",
    "CFS_BANDWIDTH",
    "UCLAMP_TASK",
    "NUMA_BALANCING",
    "NO_HZ_IDLE",
    "NO_HZ_FULL",
    "HIGH_RES_TIMERS",
    "TICK_CPU_ACCOUNTING",
    "PARAVIRT",
    "PARAVIRT_TIME_ACCOUNTING",
    "PARAVIRT_SPINLOCKS",
    "IRQ_TIME_ACCOUNTING",
    "BPF_JIT_ALWAYS_ON",
    "STEAL_GOVERNOR",
    "PREFERRED_CPU",
};

Result<int64_t> config_hz(const Result<KernelConfig>& config) {
  if (!config) return fail(config.error());
  const auto hz = to_number(value_of(config->text, "CONFIG_HZ", '=').value_or(""));
  if (!hz) return fail("the kernel's configuration has no CONFIG_HZ");
  return *hz;
}

// An option that this kernel does not know is also "n".
void add_config(const Result<KernelConfig>& config, FactList& facts) {
  if (!config || config->text.empty()) {
    const std::string reason = config ? config->path + ": empty" : config.error().message;
    for (const char* key : {"kernel.config", "kernel.config_from", "kernel.config_sha256"}) {
      facts.add_null(key, reason);
    }
    return;
  }
  facts.add("kernel.config_from", config->path);
  facts.add("kernel.config_sha256", sha256(config->text));
  for (const char* option : kOptions) {
    auto value = value_of(config->text, fmt::format("CONFIG_{}", option), '=');
    facts.add(fmt::format("kernel.config.{}", option), value ? std::move(*value) : "n");
  }
}

Result<std::string> build_id(const Machine& machine) {
  constexpr const char* kPath = "/sys/kernel/notes";
  const auto notes = machine.bytes(kPath);
  if (!notes) return notes;
  std::string id = build_id_among(*notes);
  if (id.empty()) return fail(fmt::format("{} has no build id", kPath));
  return id;
}

// The enabled live patches: they replace functions of the kernel without changing its build id.
Result<std::vector<std::string>> live_patches(const Machine& machine) {
  const std::string directory = "/sys/kernel/livepatch";
  if (!machine.exists(directory)) return fail("this kernel does not support live patches");
  const auto names = machine.names(directory);
  if (!names) return fail(names.error());
  std::vector<std::string> patches;
  for (const std::string& name : *names) {
    const auto enabled = machine.number(fmt::format("{}/{}/enabled", directory, name));
    if (!enabled || *enabled != 0) patches.push_back(name);
  }
  return patches;
}

struct Preempt {
  std::string model;
  std::string from;
};

// The choice in brackets, as in "none voluntary (full) lazy".
std::optional<std::string> active_choice(std::string_view text) {
  const size_t open = text.find('(');
  const size_t close = text.find(')', open);
  if (open == text.npos || close == text.npos) return {};
  return std::string(text.substr(open + 1, close - open - 1));
}

std::optional<std::string> boot_choice(const Machine& machine) {
  const auto cmdline = machine.text("/proc/cmdline");
  std::optional<std::string> choice;
  for (const std::string& word : words(cmdline.value_or(""))) {
    if (word.starts_with("preempt=")) choice = word.substr(8);  // the last one counts
  }
  return choice;
}

std::optional<std::string> configured_choice(const std::string& config) {
  const auto is_set = [&](const char* name) { return value_of(config, name, '=') == "y"; };
  if (is_set("CONFIG_PREEMPT_RT")) return "rt";
  if (is_set("CONFIG_PREEMPT_LAZY")) return "lazy";
  if (is_set("CONFIG_PREEMPT")) return "full";
  if (is_set("CONFIG_PREEMPT_VOLUNTARY")) return "voluntary";
  if (is_set("CONFIG_PREEMPT_NONE")) return "none";
  return {};
}

// The preemption model, from the most reliable source: debugfs; then, for a kernel that chooses at
// boot, the command line; then the configuration; then the version.
Result<Preempt> preempt_model(const Machine& machine, const Result<KernelConfig>& config) {
  const auto debug = machine.line("/sys/kernel/debug/sched/preempt");
  if (debug) {
    if (const auto model = active_choice(*debug)) return Preempt{*model, "debugfs"};
  }
  const auto version = machine.text("/proc/sys/kernel/version");
  if (!version) return fail(version.error());
  const bool dynamic = version->find("PREEMPT_DYNAMIC") != version->npos;
  if (dynamic) {
    if (const auto model = boot_choice(machine)) return Preempt{*model, "command line"};
  }
  if (config) {
    if (const auto model = configured_choice(config->text)) return Preempt{*model, "configuration"};
  }
  const std::string unknown =
      debug ? "sched/preempt marks no model" : why_no_debugfs(machine, debug.error());
  if (dynamic) {
    return fail(
        fmt::format("chosen at boot, but neither debugfs ({}) nor the configuration shows "
                    "which",
                    unknown));
  }
  if (version->find("PREEMPT_RT") != version->npos) return Preempt{"rt", "version"};
  if (version->find("PREEMPT_LAZY") != version->npos) return Preempt{"lazy", "version"};
  if (version->find("PREEMPT") != version->npos) return Preempt{"full", "version"};
  return fail(
      fmt::format("none or voluntary: the version does not distinguish them ({})", unknown));
}

// Every model that this kernel offers; newer kernels offer fewer.
void add_preempt_choices(const Machine& machine, FactList& facts) {
  auto text = machine.line("/sys/kernel/debug/sched/preempt");
  if (!text) return facts.add_null("kernel.preempt_choices", why_no_debugfs(machine, text.error()));
  std::erase_if(*text, [](char c) { return c == '(' || c == ')'; });
  facts.add("kernel.preempt_choices", words(*text));
}

}  // namespace

// A note is the sizes of its name and description, its type, then name and description, each padded
// to four bytes. The build id is the GNU note of type 3.
std::string build_id_among(std::string_view notes) {
  constexpr uint32_t kBuildId = 3;
  std::string_view rest = notes;
  const auto padded = [](uint64_t size) { return (size + 3) / 4 * 4; };
  while (true) {
    uint32_t header[3];
    if (rest.size() < sizeof(header)) return "";
    std::memcpy(header, rest.data(), sizeof(header));
    const auto [name_size, size, type] = header;
    const uint64_t description = sizeof(header) + padded(name_size);
    if (description + size > rest.size()) return "";
    const std::string_view name = rest.substr(sizeof(header), name_size);
    if (type == kBuildId && name == std::string_view("GNU", 4)) {
      std::string id;
      for (const char byte : rest.substr(description, size)) {
        id += fmt::format("{:02x}", static_cast<unsigned char>(byte));
      }
      return id;
    }
    rest.remove_prefix(std::min<uint64_t>(description + padded(size), rest.size()));
  }
}

Result<KernelConfig> read_kernel_config(const Machine& machine) {
  std::string path = "/proc/config.gz";
  auto running = machine.unzipped(path);
  if (running) return KernelConfig{std::move(*running), std::move(path)};
  const auto release = machine.line("/proc/sys/kernel/osrelease");
  if (!release) return fail(release.error());
  path = "/boot/config-" + *release;
  auto installed = machine.unzipped(path);
  if (installed) return KernelConfig{std::move(*installed), std::move(path)};
  return fail(fmt::format("{}; {}", running.error().message, installed.error().message));
}

void add_kernel_facts(const Machine& machine, FactList& facts) {
  const auto config = read_kernel_config(machine);
  const auto preempt = preempt_model(machine, config);
  facts.add("kernel.release", machine.line("/proc/sys/kernel/osrelease"));
  facts.add("kernel.version", machine.line("/proc/sys/kernel/version"));
  facts.add("kernel.build", machine.line("/proc/version"));
  facts.add("kernel.build_id", build_id(machine));
  facts.add("kernel.machine", machine.line("/proc/sys/kernel/arch"));
  facts.add("kernel.cmdline", machine.text("/proc/cmdline"));
  facts.add("kernel.livepatches", live_patches(machine));
  if (preempt) {
    facts.add("kernel.preempt", preempt->model);
    facts.add("kernel.preempt_from", preempt->from);
  } else {
    facts.add_null("kernel.preempt", preempt.error().message);
    facts.add_null("kernel.preempt_from", preempt.error().message);
  }
  add_preempt_choices(machine, facts);
  facts.add("kernel.config_hz", config_hz(config));
  add_config(config, facts);
}

}  // namespace gilscope
