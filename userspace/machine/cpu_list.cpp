#include "userspace/machine/cpu_list.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "userspace/base/quote.h"

namespace gilscope {
namespace {

std::optional<int> parse_cpu(std::string_view digits) {
  int cpu = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), cpu);
  if (error != std::errc() || end != digits.data() + digits.size() || digits.empty()) return {};
  if (digits.front() == '-' || cpu >= kMaxCpus) return {};
  return cpu;
}

}  // namespace

Result<std::vector<int>> parse_cpu_list(std::string_view text) {
  std::vector<int> cpus;
  if (text.empty()) return cpus;
  for (std::string_view rest = text;;) {
    const size_t comma = rest.find(',');
    const std::string_view part = rest.substr(0, comma);
    const size_t dash = part.find('-');
    const auto first = parse_cpu(part.substr(0, dash));
    const auto last = dash == part.npos ? first : parse_cpu(part.substr(dash + 1));
    if (!first || !last || *first > *last) {
      return fail(
          fmt::format("{} is not a list of CPUs (in {}): write numbers below {} and ranges, "
                      "such as 0,2-3",
                      in_quotes(part), in_quotes(text), kMaxCpus));
    }
    for (int cpu = *first; cpu <= *last; ++cpu) {
      cpus.push_back(cpu);
    }
    // Bounds the memory that overlapping ranges could ask for.
    if (cpus.size() > static_cast<size_t>(kMaxCpus)) {
      return fail(fmt::format("{} names more than {} CPUs", in_quotes(text), kMaxCpus));
    }
    if (comma == rest.npos) break;
    rest.remove_prefix(comma + 1);
  }
  std::sort(cpus.begin(), cpus.end());
  if (const auto twice = std::adjacent_find(cpus.begin(), cpus.end()); twice != cpus.end()) {
    return fail(fmt::format("{} names CPU {} twice", in_quotes(text), *twice));
  }
  return cpus;
}

std::string format_cpu_list(const std::vector<int>& cpus) {
  std::string out;
  for (size_t i = 0; i < cpus.size();) {
    size_t last = i;
    while (last + 1 < cpus.size() && cpus[last + 1] == cpus[last] + 1) ++last;
    if (!out.empty()) out += ',';
    out += std::to_string(cpus[i]);
    if (last > i) out += '-' + std::to_string(cpus[last]);
    i = last + 1;
  }
  return out;
}

}  // namespace gilscope
