#include "userspace/machine/facts/fixed_facts.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <variant>

#include "userspace/base/quote.h"
#include "userspace/machine/facts/environment.h"
#include "userspace/machine/facts/value_text.h"
#include "userspace/report/model.h"

namespace gilscope {
namespace {

// Facts on which the numbers depend and that cannot change while a machine runs one kernel. Left
// out are the boot id, since the same kernel may be booted again; settings that may change at any
// time, which the report has before and after; and facts that follow from those listed, as the
// configuration follows from the kernel's build.
constexpr FixedFact kFixed[] = {
    {"gilscope", FixedBy::gilscope},
    {"tool.version", FixedBy::gilscope},
    {"tool.build_id", FixedBy::gilscope},
    {"tool.libbpf", FixedBy::gilscope},
    {"glibc.version", FixedBy::gilscope},
    {"kernel.release", FixedBy::kernel},
    {"kernel.version", FixedBy::kernel},
    {"kernel.build", FixedBy::kernel},
    {"kernel.build_id", FixedBy::kernel},
    {"kernel.machine", FixedBy::kernel},
    {"kernel.cmdline", FixedBy::kernel},
    {"kernel.preempt", FixedBy::kernel},
    {"kernel.livepatches", FixedBy::kernel},
    {"host.name", FixedBy::machine},
    {"host.machine_id_sha256", FixedBy::machine},
    {"host.product_uuid_sha256", FixedBy::machine},
    {"cpu.vendor", FixedBy::machine},
    {"cpu.model", FixedBy::machine},
    {"cpu.microcode", FixedBy::machine},
    {"cpu.present", FixedBy::machine},
    {"virtualization.product", FixedBy::machine},
    {"virtualization.hypervisor", FixedBy::machine},
    {"virtualization.emulated", FixedBy::machine},
    {"process.sched_policy", FixedBy::scheduler},
    {"process.nice", FixedBy::scheduler},
    {"process.rt_priority", FixedBy::scheduler},
    {"process.uclamp_min", FixedBy::scheduler},
    {"process.uclamp_max", FixedBy::scheduler},
};

struct Group {
  FixedBy by;
  const char* other;
  const char* remedy;
};
constexpr Group kGroups[] = {
    {FixedBy::gilscope, "another gilscope", "resume with that one"},
    {FixedBy::kernel, "another kernel or other boot options", "boot that kernel as it was then"},
    {FixedBy::machine, "another machine", "resume there"},
    {FixedBy::scheduler, "another scheduling policy or priority", "start it with that one"},
};

const Fact* find(const Facts& facts, std::string_view key) {
  for (const Fact& fact : facts) {
    if (fact.key == key && !std::holds_alternative<std::monostate>(fact.value)) return &fact;
  }
  return nullptr;
}

// Shortens two long texts to the words in which they differ: a kernel's command line may fill a
// screen.
struct Pair {
  std::string a, b;
};
Pair parting_words(std::string a, std::string b) {
  constexpr size_t kLong = 60;
  if (std::max(a.size(), b.size()) <= kLong) return {a, b};
  size_t begin = static_cast<size_t>(std::ranges::mismatch(a, b).in1 - a.begin());
  while (begin > 0 && a[begin - 1] != ' ') --begin;
  std::string rest_a = a.substr(begin), rest_b = b.substr(begin);
  size_t same = 0;
  const size_t shorter = std::min(rest_a.size(), rest_b.size());
  while (same < shorter && rest_a[rest_a.size() - 1 - same] == rest_b[rest_b.size() - 1 - same]) {
    ++same;
  }
  // The common end starts at a word in both texts.
  while (same > 0 && (rest_a[rest_a.size() - same] != ' ' || rest_b[rest_b.size() - same] != ' ')) {
    --same;
  }
  const auto shown = [&](const std::string& rest) {
    return fmt::format("{}{}{}", begin > 0 ? "... " : "", rest.substr(0, rest.size() - same),
                       same > 0 ? " ..." : "");
  };
  return {shown(rest_a), shown(rest_b)};
}

std::string difference(const char* key, const Fact& earlier, const Fact& now) {
  const Pair values = parting_words(value_text(earlier), value_text(now));
  return fmt::format("{} was {} and is now {}", key, in_quotes(values.a), in_quotes(values.b));
}

}  // namespace

std::span<const FixedFact> fixed_facts() {
  return kFixed;
}

Facts facts_of(const Report& report) {
  Facts facts = {{"gilscope", report.gilscope, ""}};
  for (const Facts* part : {&report.environment, &report.environment_before}) {
    facts.insert(facts.end(), part->begin(), part->end());
  }
  return facts;
}

Facts current_facts() {
  Facts facts = {{"gilscope", GILSCOPE_VERSION, ""}};
  for (const Facts& part : {capture_environment(), capture_moment()}) {
    facts.insert(facts.end(), part.begin(), part.end());
  }
  return facts;
}

std::string resume_refusal(const Facts& earlier, const Facts& now) {
  std::string others, differences, ways_out;
  for (const Group& group : kGroups) {
    size_t more = 0;
    for (const FixedFact& fixed : kFixed) {
      if (fixed.by != group.by) continue;
      const Fact *a = find(earlier, fixed.key), *b = find(now, fixed.key);
      if (!a || !b || value_text(*a) == value_text(*b)) continue;
      if (more++ > 0) continue;  // show one per group: release, version and build change together
      others += fmt::format("{}{}", others.empty() ? "" : ", of ", group.other);
      differences +=
          fmt::format("{}{}", differences.empty() ? "" : "; ", difference(fixed.key, *a, *b));
      ways_out += fmt::format(", or {}", group.remedy);
    }
    if (more > 1) differences += fmt::format(" (and {} more)", more - 1);
  }
  if (others.empty()) return "";
  return fmt::format("holds an experiment of {}: {}; give --out another directory{}", others,
                     differences, ways_out);
}

}  // namespace gilscope
