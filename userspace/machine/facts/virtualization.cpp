// Whether the CPUs are real: a virtual CPU may be taken away at any time, and times on an emulated
// one are meaningless.
#ifdef __x86_64__
#include <cpuid.h>
#endif

#include <algorithm>
#include <cstring>

#include "userspace/machine/facts/parts.h"

namespace gilscope {
namespace {

constexpr const char* kEmulator = "TCGTCGTCGTCG";  // QEMU's

struct Hypervisor {
  const char* signature;
  const char* name;
};
constexpr Hypervisor kHypervisors[] = {
    {kEmulator, "QEMU TCG"},     {"KVMKVMKVM", "KVM"},     {"VMwareVMware", "VMware"},
    {"Microsoft Hv", "Hyper-V"}, {"XenVMMXenVMM", "Xen"},  {"bhyve bhyve ", "bhyve"},
    {"VBoxVBoxVBox", "VBox"},    {"ACRNACRNACRN", "ACRN"}, {" prl hyperv ", "Parallels"},
    {"Linux KVM Hv", "KVM"},
};

std::string product(const Machine& machine) {
  std::string out;
  for (const char* name : {"sys_vendor", "product_name"}) {
    const auto text = machine.line(std::string("/sys/class/dmi/id/") + name);
    if (!text || text->empty()) continue;
    if (!out.empty()) out += ' ';
    out += *text;
  }
  return out;
}

std::string hypervisor_name(const std::string& signature, const std::string& product) {
  for (const Hypervisor& known : kHypervisors) {
    if (signature == known.signature) return known.name;
  }
  if (!signature.empty()) return signature;
  return product.empty() ? "unknown" : product;
}

// Only x86 kernels list "flags", including one for the presence of a hypervisor.
std::optional<bool> hypervisor_flag(const Machine& machine) {
  const auto cpuinfo = machine.text("/proc/cpuinfo");
  const auto flags = cpuinfo ? value_of(*cpuinfo, "flags") : std::nullopt;
  if (!flags) return {};
  const auto all = words(*flags);
  return std::find(all.begin(), all.end(), "hypervisor") != all.end();
}

// QEMU may hide its signature, but an emulated machine has no KVM clock.
bool looks_emulated(const Machine& machine, const std::string& signature,
                    const std::string& product) {
  if (!signature.empty()) return signature == kEmulator;
  const auto clocks =
      machine.line("/sys/devices/system/clocksource/clocksource0/available_clocksource");
  return product.find("QEMU") != product.npos && clocks &&
         clocks->find("kvm-clock") == clocks->npos;
}

}  // namespace

bool on_emulated_cpus() {
  return hypervisor_signature() == kEmulator;
}

std::optional<std::string> hypervisor_signature() {
#ifdef __x86_64__
  constexpr unsigned kFeatures = 1, kHypervisorLeaf = 0x40000000, kHypervisorBit = 1u << 31;
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (__get_cpuid(kFeatures, &a, &b, &c, &d) == 0 || (c & kHypervisorBit) == 0) return "";
  __cpuid(kHypervisorLeaf, a, b, c, d);
  char text[13] = {};
  std::memcpy(text, &b, 4);
  std::memcpy(text + 4, &c, 4);
  std::memcpy(text + 8, &d, 4);
  return std::string(text);  // ends at the zero bytes that pad a shorter signature
#else
  return {};
#endif
}

void add_virtualization_facts(const Machine& machine, const std::optional<std::string>& signature,
                              FactList& facts) {
  const std::string product_name = product(machine);
  if (product_name.empty()) {
    facts.add_null("virtualization.product", "no DMI below /sys/class/dmi/id");
  } else {
    facts.add("virtualization.product", product_name);
  }
  const auto flag = hypervisor_flag(machine);
  if (!flag) {
    facts.add_null("virtualization.hypervisor", "/proc/cpuinfo lists no flags here");
    facts.add_null("virtualization.emulated", "only x86 CPUs report it");
  } else if (!*flag) {
    facts.add("virtualization.hypervisor", "none");
    facts.add("virtualization.emulated", looks_emulated(machine, "", product_name));
  } else {
    const std::string text = signature.value_or("");
    facts.add("virtualization.hypervisor", hypervisor_name(text, product_name));
    facts.add("virtualization.emulated", looks_emulated(machine, text, product_name));
  }
}

}  // namespace gilscope
