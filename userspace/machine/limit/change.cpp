#include "userspace/machine/limit/change.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <limits>
#include <optional>

#include "userspace/base/quote.h"
#include "userspace/machine/cpu_list.h"
#include "userspace/machine/machine.h"

namespace gilscope {
namespace {

struct KindName {
  Change::Kind kind;
  const char* name;
};

constexpr KindName kNames[] = {
    {Change::Kind::online, "online"},
    {Change::Kind::cpuset_cpus, "cpuset-cpus"},
    {Change::Kind::cpuset_made, "cpuset-made"},
    {Change::Kind::controller, "controller"},
    {Change::Kind::mask, "mask"},
};

// A cgroup's name may contain anything but a slash; a word of the journal contains no white space,
// so other characters are escaped.
bool plain(unsigned char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("/._-:@,=+~").find(static_cast<char>(c)) != std::string_view::npos;
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    out += plain(static_cast<unsigned char>(c))
               ? std::string(1, c)
               : fmt::format("%{:02x}", static_cast<unsigned char>(c));
  }
  return out;
}

std::optional<std::string> unescaped(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      if (!plain(static_cast<unsigned char>(text[i]))) return {};
      out += text[i];
      continue;
    }
    unsigned value = 0;
    const char* digits = text.data() + i + 1;
    if (text.size() - i < 3) return {};
    const auto [end, error] = std::from_chars(digits, digits + 2, value, 16);
    if (error != std::errc() || end != digits + 2 || value == 0) return {};
    out += static_cast<char>(value);
    i += 2;
  }
  return out;
}

// Stays below the hierarchy's root: "a/b", no leading slash, no "..".
bool is_cgroup(std::string_view path) {
  constexpr size_t kLongestPath = 3500;
  if (path.empty() || path.size() > kLongestPath) return false;
  while (true) {
    const std::string_view name = path.substr(0, path.find('/'));
    if (name.empty() || name == "." || name == "..") return false;
    if (name.size() == path.size()) return true;
    path.remove_prefix(name.size() + 1);
  }
}

template <typename T>
std::optional<T> to_number_of(std::string_view text, T highest) {
  T number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return {};
  // Accepts only the canonical form: no sign, no leading zero.
  if (number > highest || std::to_string(number) != text || text.front() == '-') return {};
  return number;
}

bool is_cpu_list(const std::string& text, bool may_be_none) {
  if (text == "-") return may_be_none;
  const auto cpus = parse_cpu_list(text);
  return cpus && !cpus->empty() && format_cpu_list(*cpus) == text;
}

std::optional<TaskId> parse_task(std::string_view text) {
  const size_t colon = text.find(':');
  if (colon == text.npos) return {};
  const auto task = to_number_of<pid_t>(text.substr(0, colon), 1 << 22);
  const auto started =
      to_number_of<uint64_t>(text.substr(colon + 1), std::numeric_limits<uint64_t>::max());
  if (!task || *task == 0 || !started) return {};
  return TaskId{*task, *started};
}

bool is_valid(const Change& change) {
  const auto bit = [](const std::string& text) { return text == "0" || text == "1"; };
  switch (change.kind) {
    case Change::Kind::online:
      return to_number_of<int>(change.subject, kMaxCpus - 1) && bit(change.found) &&
             bit(change.set);
    case Change::Kind::cpuset_cpus:
      return is_cgroup(change.subject) && is_cpu_list(change.found, false) &&
             is_cpu_list(change.set, true);
    case Change::Kind::cpuset_made:
      return (change.subject == "v1" || change.subject == "v2") && change.found == "-" &&
             change.set == kOwnCgroup;
    case Change::Kind::controller:
      return change.subject == "cpuset" && change.found == "-" && change.set == "+";
    case Change::Kind::mask:
      return parse_task(change.subject) && is_cpu_list(change.found, false) && change.set == "-";
  }
  return false;
}

std::string list_or_none(const std::vector<int>& cpus) {
  return cpus.empty() ? "-" : format_cpu_list(cpus);
}

}  // namespace

Change online_change(int cpu, bool found, bool set) {
  return {Change::Kind::online, std::to_string(cpu), found ? "1" : "0", set ? "1" : "0"};
}

Change cpuset_cpus_change(const std::string& cgroup, const std::vector<int>& found,
                          const std::vector<int>& left) {
  return {Change::Kind::cpuset_cpus, cgroup, list_or_none(found), list_or_none(left)};
}

Change cpuset_made_change(bool v2) {
  return {Change::Kind::cpuset_made, v2 ? "v2" : "v1", "-", kOwnCgroup};
}

Change controller_change() {
  return {Change::Kind::controller, "cpuset", "-", "+"};
}

Change mask_change(pid_t task, uint64_t started, const std::vector<int>& cpus) {
  return {Change::Kind::mask, fmt::format("{}:{}", task, started), list_or_none(cpus), "-"};
}

TaskId task_of(const Change& change) {
  return parse_task(change.subject).value_or(TaskId());
}

std::string to_line(const Change& change) {
  const auto name = std::find_if(std::begin(kNames), std::end(kNames),
                                 [&](const KindName& k) { return k.kind == change.kind; });
  return fmt::format("{} {} {} {}", name->name, escaped(change.subject), change.found, change.set);
}

std::string change_description(const Change& change) {
  switch (change.kind) {
    case Change::Kind::online:
      return fmt::format("/sys/devices/system/cpu/cpu{}/online was {}", change.subject,
                         change.found);
    case Change::Kind::cpuset_cpus:
      return fmt::format("cpuset.cpus of the cgroup {} was {}", in_quotes(change.subject),
                         change.found);
    case Change::Kind::cpuset_made:
      return fmt::format("the cpuset cgroup '{}' did not exist", kOwnCgroup);
    case Change::Kind::controller:
      return "cgroup.subtree_control of the root did not have cpuset";
    case Change::Kind::mask:
      return fmt::format("the affinity of task {} was {}", task_of(change).task, change.found);
  }
  return "";
}

Result<Change> parse_change(std::string_view line) {
  const auto nonsense = [&] {
    return fail(fmt::format("{} is not a change that gilscope makes", in_quotes(line)));
  };
  const std::vector<std::string> parts = words(line);
  if (parts.size() != 4) return nonsense();
  const auto name = std::find_if(std::begin(kNames), std::end(kNames),
                                 [&](const KindName& k) { return k.name == parts[0]; });
  const auto subject = unescaped(parts[1]);
  if (name == std::end(kNames) || !subject) return nonsense();
  Change change{name->kind, *subject, parts[2], parts[3]};
  if (!is_valid(change) || to_line(change) != line) return nonsense();
  return change;
}

}  // namespace gilscope
