// Which kernel, built and booted how.
#include "userspace/experiment/environment/parts.h"

namespace gilscope {
namespace {

Result<std::string> read_config(const Box& box) {
  auto running = box.unzipped("/proc/config.gz");
  if (running) return running;
  const auto release = box.line("/proc/sys/kernel/osrelease");
  if (!release) return fail(release.error());
  auto installed = box.unzipped("/boot/config-" + *release);
  if (installed) return installed;
  return fail(fmt::format("{}; {}", running.error().message, installed.error().message));
}

Result<int64_t> config_hz(const Result<std::string>& config) {
  if (!config) return fail(config.error());
  const auto hz = to_number(value_of(*config, "CONFIG_HZ", '=').value_or(""));
  if (!hz) return fail("the kernel's configuration does not say CONFIG_HZ");
  return *hz;
}

struct Preempt {
  std::string model;
  std::string from;
};

// "none voluntary (full) lazy": the one in brackets is in force.
std::optional<std::string> active_choice(std::string_view text) {
  const size_t open = text.find('(');
  const size_t close = text.find(')', open);
  if (open == text.npos || close == text.npos) return {};
  return std::string(text.substr(open + 1, close - open - 1));
}

std::optional<std::string> boot_choice(const Box& box) {
  const auto cmdline = box.text("/proc/cmdline");
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

// The model in force, from whoever knows best: debugfs knows it; a kernel that can choose at boot
// was told by the command line, or took what it was configured for.
Result<Preempt> preempt_model(const Box& box, const Result<std::string>& config) {
  const auto debug = box.line("/sys/kernel/debug/sched/preempt");
  if (debug) {
    if (const auto model = active_choice(*debug)) return Preempt{*model, "debugfs"};
  }
  const auto version = box.text("/proc/sys/kernel/version");
  if (!version) return fail(version.error());
  const bool dynamic = version->find("PREEMPT_DYNAMIC") != version->npos;
  if (dynamic) {
    if (const auto model = boot_choice(box)) return Preempt{*model, "command line"};
  }
  if (config) {
    if (const auto model = configured_choice(*config)) return Preempt{*model, "configuration"};
  }
  const std::string unknown = debug ? "sched/preempt marks no model" : debug.error().message;
  if (dynamic) {
    return fail(
        fmt::format("chosen at boot, and neither debugfs ({}) nor the configuration says "
                    "which",
                    unknown));
  }
  if (version->find("PREEMPT_RT") != version->npos) return Preempt{"rt", "version"};
  if (version->find("PREEMPT_LAZY") != version->npos) return Preempt{"lazy", "version"};
  if (version->find("PREEMPT") != version->npos) return Preempt{"full", "version"};
  return fail(fmt::format("none or voluntary: the version does not tell them apart ({})", unknown));
}

}  // namespace

void add_kernel_facts(const Box& box, FactList& facts) {
  const auto config = read_config(box);
  const auto preempt = preempt_model(box, config);
  facts.add("kernel.release", box.line("/proc/sys/kernel/osrelease"));
  facts.add("kernel.version", box.line("/proc/sys/kernel/version"));
  facts.add("kernel.build", box.line("/proc/version"));
  facts.add("kernel.cmdline", box.text("/proc/cmdline"));
  if (preempt) {
    facts.add("kernel.preempt", preempt->model);
    facts.add("kernel.preempt_from", preempt->from);
  } else {
    facts.add_null("kernel.preempt", preempt.error().message);
    facts.add_null("kernel.preempt_from", preempt.error().message);
  }
  facts.add("kernel.config_hz", config_hz(config));
}

}  // namespace gilscope
